import DSEngine
import DSSupport

/// A language model as Triton's backends for them show it: `text_input` in, `text_output` out. Sampling parameters come as
/// request parameters, or as JSON in the input `sampling_parameters`.
package struct LanguageModel: InferenceModel {
    package let configuration: ModelConfiguration
    private let served: ServedModel
    private let priorities: PriorityLevels?

    /// Names under which a configuration may ask for this kind of model.
    package static let backends: Set<String> = ["", "deepseek", "vllm", "tensorrtllm"]

    /// - Parameters:
    ///   - given: the configuration of the model's folder; what it says about tensors must be what they are here.
    ///   - priorities: the levels that requests may name; nil: priorities are the engine's.
    package init(
        _ served: ServedModel, given: ModelConfiguration, priorities: PriorityLevels? = nil
    ) throws(InferenceError) {
        self.served = served
        self.priorities = priorities
        var configuration = given
        guard Self.backends.contains(given.backend) else {
            throw InferenceError(
                .unsupported, "model '\(given.name)': backend: expected 'deepseek', found '\(given.backend)'")
        }
        configuration.backend = given.backend.isEmpty ? "deepseek" : given.backend
        configuration.isDecoupled = true
        try Self.check(given.inputs, against: Self.inputs, "input", given.name)
        try Self.check(given.outputs, against: Self.outputs, "output", given.name)
        configuration.inputs = Self.inputs
        configuration.outputs = Self.outputs
        self.configuration = configuration
    }

    private static let inputs: [TensorSpecification] = [
        .init("text_input", .bytes, [1]), .init("stream", .bool, [1], isOptional: true),
        .init("sampling_parameters", .bytes, [1], isOptional: true),
        .init("exclude_input_in_output", .bool, [1], isOptional: true),
        .init("return_finish_reason", .bool, [1], isOptional: true),
        .init("return_num_input_tokens", .bool, [1], isOptional: true),
        .init("return_num_output_tokens", .bool, [1], isOptional: true),
    ]
    private static let outputs: [TensorSpecification] = [
        .init("text_output", .bytes, [-1]), .init("finish_reason", .bytes, [-1]),
        .init("num_input_tokens", .uint32, [-1]), .init("num_output_tokens", .uint32, [-1]),
    ]

    private static func check(
        _ given: [TensorSpecification], against known: [TensorSpecification], _ kind: String, _ model: String
    ) throws(InferenceError) {
        for tensor in given where !known.contains(where: { $0.name == tensor.name && $0.datatype == tensor.datatype }) {
            let list = known.map { "\($0.name) (\($0.datatype.configurationName))" }.joined(separator: ", ")
            throw .invalid(
                "model '\(model)': \(kind): expected some of \(list), found \(tensor.name) (\(tensor.datatype.configurationName))"
            )
        }
    }

    @concurrent package func answer(
        _ request: InferenceRequest, _ send: @concurrent @Sendable (InferenceResponse) async throws -> Void
    ) async throws -> InferenceTimings {
        let call: Call
        do {
            call = try Call(request, defaults: served.defaults, priorities)
        } catch {
            throw InferenceError.invalid(error.message)
        }
        let start = ContinuousClock.now
        let stream = try served.generator.generate(TextRequest(.text(call.text), options: call.options))
        note(stream, call, request.accounts)
        let waited: Duration
        var hasEnded = false
        do {
            waited = try await pass(stream, call, start, send) { result in
                hasEnded = true
                return request.accounts?.ended(0, result) ?? result
            }
        } catch {
            if !hasEnded { await request.accounts?.brokeOff(0, stream) }
            throw error
        }
        guard hasEnded else {
            await request.accounts?.brokeOff(0, stream)
            throw CancellationError()
        }
        // A batch of one: the engine mixes requests step by step.
        var timings = InferenceTimings()
        timings.input = waited
        timings.compute = ContinuousClock.now - start - waited
        timings.executedBatch = 1
        return timings
    }

    private func note(_ stream: TextStream, _ call: Call, _ accounts: AnswerAccounts?) {
        let options = call.options
        let answer = AnswerRecord(
            promptTokens: stream.promptTokens, isFirst: true, maxTokens: options.stopping.maxTokens,
            sampling: .init(temperature: options.sampling.temperature, topP: options.sampling.topP))
        accounts?.record.began([answer], perPrompt: 1, model: served.name)
    }

    /// Sends what the stream gives.
    /// - Parameter ended: told how it ended, before the last answer is sent; gives the result with what it cost.
    /// - Returns: the time until the first token since `start`.
    private func pass(
        _ stream: TextStream, _ call: Call, _ start: ContinuousClock.Instant,
        _ send: @concurrent @Sendable (InferenceResponse) async throws -> Void,
        _ ended: (GenerationResult) -> GenerationResult
    ) async throws -> Duration {
        var collected = call.excludesInput ? "" : call.text
        var waited = Duration.zero
        var tokens = 0
        for try await event in stream {
            switch event {
            case .delta(let delta):
                if tokens == 0 { waited = ContinuousClock.now - start }
                tokens += delta.tokens.count
                let text = delta.reasoning + delta.content
                if !call.streams { collected += text }
                if call.streams, !text.isEmpty { try await send(response([Self.output(text)])) }
            case .finished(let result):
                let result = ended(result)
                try await send(response(last(call, collected, result)))
            }
        }
        return waited
    }

    /// Where the configuration has a batch dimension, outputs do: of one row.
    private func response(_ outputs: [WireTensor]) -> InferenceResponse {
        guard configuration.maxBatchSize > 0 else { return InferenceResponse(outputs: outputs) }
        return InferenceResponse(outputs: outputs.map { $0.renamed($0.name, shape: [1] + $0.shape) })
    }

    /// A stream ends with an empty text, as Triton's do.
    private func last(_ call: Call, _ text: String, _ result: GenerationResult) -> [WireTensor] {
        var outputs = [Self.output(call.streams ? "" : text)]
        if call.returned.contains("finish_reason") {
            outputs.append(
                WireTensor(name: "finish_reason", strings: [Array(result.reason.text(calledTools: false).utf8)]))
        }
        for (name, count) in [
            ("num_input_tokens", result.usage.promptTokens), ("num_output_tokens", result.usage.completionTokens),
        ] where call.returned.contains(name) {
            outputs.append(
                WireTensor(
                    name: name, datatype: .uint32, shape: [1], elements: [UInt32(truncatingIfNeeded: count)]))
        }
        return outputs
    }

    private static func output(_ text: String) -> WireTensor {
        WireTensor(name: "text_output", strings: [Array(text.utf8)])
    }
}

/// What a request asks of a language model.
private struct Call {
    let text: String
    let options: TextOptions
    let streams: Bool
    let excludesInput: Bool
    /// Outputs beside the text.
    let returned: Set<String>

    init(
        _ request: InferenceRequest, defaults: SamplingParameters, _ priorities: PriorityLevels?
    ) throws(APIError) {
        guard let text = try Self.text("text_input", of: request) else {
            throw .field("text_input", expected: "one string", found: nil)
        }
        self.text = text
        var object = request.parameters
        try Self.translate(&object, priorities)
        if let json = try Self.text("sampling_parameters", of: request) {
            let reader = try FieldReader(body: Array(json.utf8), name: "'sampling_parameters'")
            for member in reader.object.members { object[member.key] = member.value }
        }
        for name in Self.flags {
            if let input = request.input(name), input.elementCount == 1 { object[name] = .bool(input.bytes[0] != 0) }
        }
        // Triton's parameters are scalars, and clients write numbers as strings where they do not know better.
        for member in object.members {
            guard let text = member.value.stringValue, Self.numbers.contains(member.key.string),
                let value = try? JSONValue.parse(text), value.doubleValue != nil
            else { continue }
            object[member.key] = value
        }
        let fields = FieldReader(object)
        var shared = try SamplingFields(fields, defaults: defaults)
        guard shared.count == 1 else { throw .field("n", expected: "1", found: fields.value("n")) }
        // As the backends whose parameters these are.
        if shared.stopping.maxTokens == nil { shared.stopping.maxTokens = 16 }
        var options = shared.options(copy: 0, logprobs: nil)
        options.cacheOwner = request.cacheOwner
        self.options = options
        streams = shared.stream
        let excludes = try fields.bool("exclude_input_in_output")
        guard excludes != false || !streams else {
            throw .field("exclude_input_in_output", expected: "true with 'stream'", found: false)
        }
        excludesInput = excludes ?? streams
        var returned = Set(request.outputs.map(\.name))
        for name in Self.flags where name.hasPrefix("return_") {
            if try fields.bool(name) ?? false { returned.insert(String(name.dropFirst("return_".count))) }
        }
        self.returned = returned
    }

    /// The text of the only element of a BYTES input; nil without such an input.
    private static func text(_ name: String, of request: InferenceRequest) throws(APIError) -> String? {
        guard let input = request.input(name), input.datatype == .bytes, input.elementCount == 1,
            let bytes = input.strings.first
        else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalid("'\(name)': expected UTF-8, found other bytes", parameter: name)
        }
        return text
    }

    /// `timeout` of the protocol is in microseconds, its priorities are levels; 0 is no timeout and the standard level.
    private static func translate(_ object: inout JSONObject, _ priorities: PriorityLevels?) throws(APIError) {
        func number(_ value: JSONValue) -> Int? { value.intValue ?? value.stringValue.flatMap { Int($0) } }
        if let given = object["timeout"] {
            guard let microseconds = number(given), microseconds >= 0 else {
                throw .field("timeout", expected: "a whole number of microseconds, 0 or more", found: given)
            }
            object["timeout"] = microseconds == 0 ? nil : .number(Double(microseconds) / 1e6)
        }
        if let priorities, let given = object["priority"] {
            guard let priority = number(given).flatMap(priorities.priority) else {
                throw .field(
                    "priority", expected: "a level in 1...\(priorities.count), or 0 for \(priorities.standard)",
                    found: given)
            }
            object["priority"] = .integer(Int64(priority))
        }
    }

    private static let flags = [
        "stream", "exclude_input_in_output", "return_finish_reason", "return_num_input_tokens",
        "return_num_output_tokens",
    ]
    private static let numbers: Set<String> = [
        "temperature", "top_p", "top_k", "min_p", "typical_p", "repetition_penalty", "presence_penalty",
        "frequency_penalty", "seed", "max_tokens", "max_completion_tokens", "min_tokens", "n", "priority",
    ]
}
