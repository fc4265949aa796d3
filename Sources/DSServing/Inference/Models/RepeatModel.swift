import DSSupport

/// The decoupled example: one answer per element of IN, after as many milliseconds as DELAY says, then a wait of WAIT.
struct RepeatModel: InferenceModel {
    let configuration: ModelConfiguration

    init() {
        var configuration = ModelConfiguration(name: "repeat_int32")
        configuration.platform = "deepseek_conformance"
        configuration.backend = "conformance"
        configuration.inputs = [.init("IN", .int32, [-1]), .init("DELAY", .uint32, [-1]), .init("WAIT", .uint32, [1])]
        configuration.outputs = [.init("OUT", .int32, [1]), .init("IDX", .uint32, [1])]
        configuration.isDecoupled = true
        self.configuration = configuration
    }

    @concurrent func answer(
        _ request: InferenceRequest, _ send: @concurrent @Sendable (InferenceResponse) async throws -> Void
    ) async throws -> InferenceTimings {
        let values = request.input("IN")?.integers(Int32.self) ?? []
        let delays = request.input("DELAY")?.integers(UInt32.self) ?? []
        guard values.count == delays.count else {
            throw InferenceError.invalid(
                "input 'DELAY': expected \(values.count) elements, as IN has, found \(delays.count)")
        }
        for (index, value) in values.enumerated() {
            try await Task.sleep(for: .milliseconds(delays[index]))
            let position = WireTensor(name: "IDX", datatype: .uint32, shape: [1], elements: [UInt32(index)])
            let output = WireTensor(name: "OUT", datatype: .int32, shape: [1], elements: [value])
            try await send(InferenceResponse(outputs: [output, position]))
        }
        var timings = InferenceTimings()
        timings.executedBatch = 1
        return timings
    }
}
