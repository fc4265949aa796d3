import DSSupport
import Synchronization

/// Small models that the examples of Triton's client expect under these names. Not for production.
package enum ConformanceModels {
    /// - Parameter policy: how all of them batch; `nil`: they do not.
    package static func all() throws(InferenceError) -> [any InferenceModel] {
        [
            try BatchedModel(SumAndDifference(name: "simple", datatype: .int32)),
            try BatchedModel(SumAndDifference(name: "simple_int8", datatype: .int8)),
            try BatchedModel(SumAndDifference(name: "simple_string", datatype: .bytes)),
            try BatchedModel(Identity(name: "simple_identity")),
            try BatchedModel(SequenceMark(name: "simple_sequence")),
            RepeatModel(),
        ]
    }

    static func configuration(
        _ name: String, batch: Int, _ inputs: [TensorSpecification], _ outputs: [TensorSpecification]
    ) throws(InferenceError) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: name)
        configuration.platform = "deepseek_conformance"
        configuration.backend = "conformance"
        configuration.maxBatchSize = batch
        configuration.inputs = inputs
        configuration.outputs = outputs
        return configuration
    }
}

/// OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1; strings hold decimal numbers.
private struct SumAndDifference: TensorModel {
    let configuration: ModelConfiguration

    init(name: String, datatype: TensorDatatype) throws(InferenceError) {
        configuration = try ConformanceModels.configuration(
            name, batch: 8, [.init("INPUT0", datatype, [16]), .init("INPUT1", datatype, [16])],
            [.init("OUTPUT0", datatype, [16]), .init("OUTPUT1", datatype, [16])])
    }

    @concurrent func compute(_ inputs: [WireTensor]) async throws -> [WireTensor] {
        guard let left = inputs.first(where: { $0.name == "INPUT0" }),
            let right = inputs.first(where: { $0.name == "INPUT1" }), left.shape == right.shape
        else {
            throw InferenceError.invalid(
                "model '\(configuration.name)': expected INPUT0 and INPUT1 of one shape, found \(inputs.map(\.shape))")
        }
        switch left.datatype {
        case .int8: return outputs(left, left.integers(Int8.self), right.integers(Int8.self))
        case .bytes:
            let numbers = zip(try numbers(left), try numbers(right)).map { (Int64($0), Int64($1)) }
            return [
                WireTensor(
                    name: "OUTPUT0", strings: numbers.map { Array(String($0.0 + $0.1).utf8) }, shape: left.shape),
                WireTensor(
                    name: "OUTPUT1", strings: numbers.map { Array(String($0.0 - $0.1).utf8) }, shape: left.shape),
            ]
        default: return outputs(left, left.integers(Int32.self), right.integers(Int32.self))
        }
    }

    private func outputs<Element: FixedWidthInteger>(
        _ like: WireTensor, _ left: [Element], _ right: [Element]
    ) -> [WireTensor] {
        [
            WireTensor(
                name: "OUTPUT0", datatype: like.datatype, shape: like.shape, elements: zip(left, right).map { $0 &+ $1 }
            ),
            WireTensor(
                name: "OUTPUT1", datatype: like.datatype, shape: like.shape, elements: zip(left, right).map { $0 &- $1 }
            ),
        ]
    }

    private func numbers(_ tensor: WireTensor) throws(InferenceError) -> [Int32] {
        try tensor.strings.map { bytes throws(InferenceError) in
            let text = String(decoding: bytes, as: UTF8.self)
            guard let number = Int32(text) else {
                throw .invalid("input '\(tensor.name)': expected decimal numbers, found '\(text)'")
            }
            return number
        }
    }
}

/// OUTPUT0 = INPUT0, strings.
private struct Identity: TensorModel {
    let configuration: ModelConfiguration

    init(name: String) throws(InferenceError) {
        configuration = try ConformanceModels.configuration(
            name, batch: 8, [.init("INPUT0", .bytes, [-1])], [.init("OUTPUT0", .bytes, [-1])])
    }

    @concurrent func compute(_ inputs: [WireTensor]) async throws -> [WireTensor] {
        inputs.map { $0.renamed("OUTPUT0") }
    }
}

/// OUTPUT = INPUT, plus one at the start of a sequence. Requests of a sequence carry `sequence_id`, the first one
/// `sequence_start` and the last one `sequence_end`.
private final class SequenceMark: TensorModel {
    let configuration: ModelConfiguration
    private let running = Mutex<Set<String>>([])

    init(name: String) throws(InferenceError) {
        configuration = try ConformanceModels.configuration(
            name, batch: 1, [.init("INPUT", .int32, [1])], [.init("OUTPUT", .int32, [1])])
    }

    func prepare(_ parameters: JSONObject, rows: Int) throws(InferenceError) -> [WireTensor] {
        let id = parameters["sequence_id"]
        guard let id, id != .integer(0), id != .text("") else {
            throw .invalid("model '\(configuration.name)': expected the parameter 'sequence_id', found none")
        }
        let key = id.serializedString()
        let start = parameters["sequence_start"]?.boolValue ?? false
        let end = parameters["sequence_end"]?.boolValue ?? false
        let known = running.withLock { running in
            let known = running.contains(key)
            if start { running.insert(key) }
            if end { running.remove(key) }
            return known
        }
        guard start || known else {
            throw .invalid(
                "model '\(configuration.name)': expected 'sequence_start' on the first request of sequence \(key), found none"
            )
        }
        return [WireTensor(name: "START", datatype: .int32, shape: [rows, 1], elements: [start ? Int32(1) : 0])]
    }

    @concurrent func compute(_ inputs: [WireTensor]) async throws -> [WireTensor] {
        let values = inputs.first { $0.name == "INPUT" }?.integers(Int32.self) ?? []
        let starts = inputs.first { $0.name == "START" }?.integers(Int32.self) ?? []
        return [
            WireTensor(
                name: "OUTPUT", datatype: .int32, shape: [values.count, 1],
                elements: zip(values, starts).map { $0 &+ $1 })
        ]
    }
}
