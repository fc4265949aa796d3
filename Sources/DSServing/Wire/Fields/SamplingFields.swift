package import DSEngine
import DSSupport

/// The fields that chat completions and completions share.
package struct SamplingFields {
    package var sampling = SamplingParameters()
    package var stopping = StoppingConditions()
    package var stopStrings: [String] = []
    package var includeStopString = false
    /// Answers per prompt.
    package var count = 1
    package var streaming: StreamFields
    package var reports: ReportFields
    /// Tokens of thinking, at most.
    package var thinkingTokens: Int?
    package var truncation: TruncationFields?
    private var badWords: [String] = []

    package var stream: Bool { streaming.isOn }
    package var includeUsage: Bool { streaming.includesUsage }
    package var scheduling: SchedulingFields

    /// The largest `n`.
    static let maximumCount = 128
    static let maximumBadWords = 256

    /// - Parameter defaults: what the model's `generation_config.json` recommends, where a request says nothing.
    package init(_ fields: FieldReader, defaults: SamplingParameters) throws(APIError) {
        streaming = try StreamFields(fields)
        reports = try ReportFields(fields, streams: streaming.isOn)
        truncation = try TruncationFields(fields)
        thinkingTokens = try fields.integer("thinking_token_budget")
        scheduling = try SchedulingFields(fields)
        sampling = defaults
        try readSampling(fields)
        try readTokens(fields)
        try readStopping(fields)
        count = try fields.integer("n") ?? 1
        guard (1...Self.maximumCount).contains(count) else {
            throw .field(fields.name("n"), expected: "an integer in 1...\(Self.maximumCount)", found: fields.value("n"))
        }
    }

    private mutating func readStopping(_ fields: FieldReader) throws(APIError) {
        let older = try fields.integer("max_tokens")
        // -1 means "as many as fit" to llama-server's clients.
        let llama = try fields.integer("n_predict").flatMap { $0 == -1 ? nil : $0 }
        let newer = try fields.integer("max_completion_tokens")
        // Each under the name that the client wrote; what the engine refuses has but one.
        for (name, value) in [("max_completion_tokens", newer), ("n_predict", llama)] {
            guard let value, value < 0 else { continue }
            throw .field(fields.name(name), expected: "an integer of at least 0", found: fields.value(name))
        }
        stopping.maxTokens = newer ?? older ?? llama
        stopping.minTokens = try fields.integer("min_tokens") ?? 0
        stopping.stopTokens = try Self.tokens(fields, "stop_token_ids")
        stopping.ignoreEndOfSequence = try fields.bool("ignore_eos") ?? false
        stopStrings = try fields.strings("stop", limit: TextOptions.maximumStopStrings).filter { !$0.isEmpty }
        includeStopString = try fields.bool("include_stop_str_in_output") ?? false
    }

    private mutating func readSampling(_ fields: FieldReader) throws(APIError) {
        sampling.temperature = try fields.number("temperature") ?? sampling.temperature
        sampling.topP = try fields.number("top_p") ?? sampling.topP
        sampling.minP = try fields.number("min_p") ?? sampling.minP
        sampling.typicalP = try fields.number("typical_p") ?? sampling.typicalP
        if let topK = try fields.integer("top_k") {
            // 0 and -1 mean "off" to vLLM's and llama-server's clients.
            sampling.topK = topK == 0 || topK == -1 ? nil : topK
        }
        let llama = try fields.number("repeat_penalty")
        sampling.repetitionPenalty = try fields.number("repetition_penalty") ?? llama ?? sampling.repetitionPenalty
        sampling.presencePenalty = try fields.number("presence_penalty") ?? sampling.presencePenalty
        sampling.frequencyPenalty = try fields.number("frequency_penalty") ?? sampling.frequencyPenalty
        if let seed = try fields.integer("seed") { sampling.seed = UInt64(bitPattern: Int64(seed)) }
    }

    private mutating func readTokens(_ fields: FieldReader) throws(APIError) {
        if fields.value("allowed_token_ids") != nil {
            sampling.allowedTokens = try Self.tokens(fields, "allowed_token_ids")
        }
        badWords = try fields.strings("bad_words", limit: Self.maximumBadWords)
        guard let bias = try fields.reader("logit_bias") else { return }
        for member in bias.object.members {
            let key = member.key.string
            guard let token = Int32(key), let value = member.value.doubleValue else {
                throw .field(
                    bias.name(key), expected: "a token id with a number in -100...100", found: member.value)
            }
            sampling.logitBias[token] = value
        }
    }

    /// Does what needs the model: words become tokens, "as many as fit" a number.
    package mutating func resolve(for generator: TextGenerator) throws {
        truncation?.resolve(context: generator.engine.maximumContext, reserved: stopping.maxTokens ?? 1)
        for word in badWords {
            // A word is one at the beginning of a text and another after a space.
            for text in [word, " " + word] {
                let tokens = try generator.encode(text, addsSpecialTokens: false)
                if !sampling.bannedSequences.contains(tokens) { sampling.bannedSequences.append(tokens) }
            }
        }
    }

    /// The options of choice number `copy`: consecutive seeds.
    package func options(copy: Int, logprobs: Int?) -> TextOptions {
        var options = TextOptions()
        options.sampling = sampling
        options.sampling.seed = sampling.seed.map { $0 &+ UInt64(copy) }
        options.stopping = stopping
        options.stopStrings = stopStrings
        options.includesStopString = includeStopString
        options.logprobs = logprobs
        // The prompt is the same for all choices.
        options.promptLogprobs = copy == 0 ? reports.promptLogprobs : nil
        options.thinkingTokens = thinkingTokens
        options.truncation = truncation?.value
        scheduling.apply(to: &options)
        return options
    }

    static func tokens(_ fields: FieldReader, _ key: String) throws(APIError) -> [Int32] {
        guard let values = try fields.array(key) else { return [] }
        return try tokens(values, path: fields.name(key))
    }

    static func tokens(_ values: [JSONValue], path: String) throws(APIError) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let id = value.intValue, let token = Int32(exactly: id) else {
                throw .field("\(path)[\(index)]", expected: "a token id", found: value)
            }
            tokens.append(token)
        }
        return tokens
    }
}
