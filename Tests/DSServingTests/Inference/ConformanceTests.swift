import DSServing
import DSSupport
import Logging
import Synchronization
import Testing

@Suite struct ConformanceTests {
    private func service() throws -> InferenceService {
        let loader = ModelLoader(open: { name, _, _ in throw InferenceError(.notFound, name) }, need: { _ in 0 })
        let repository = ModelRepository(
            options: .init(), catalog: ModelCatalog([]), loader: loader, logger: Logger(label: "test"), scan: { [] })
        for model in try ConformanceModels.all() { repository.adopt(model) }
        return InferenceService(repository: repository)
    }

    private func numbers(_ name: String, _ values: [Int32], rows: Int = 1) -> WireTensor {
        WireTensor(name: name, datatype: .int32, shape: [rows, values.count / rows], elements: values)
    }

    @Test func sumAndDifference() async throws {
        let service = try service()
        let model = try service.repository.ready("simple", nil)
        let request = InferenceRequest(inputs: [
            numbers("INPUT0", Array(0..<16)), numbers("INPUT1", Array(repeating: 1, count: 16)),
        ])
        let answer = try await service.infer(request, on: model, for: nil)
        #expect(answer.outputs.map(\.name) == ["OUTPUT0", "OUTPUT1"])
        #expect(
            answer.outputs[0].integers() == Array(Int32(1)...16)
                && answer.outputs[1].integers() == Array(Int32(-1)..<15))
        let statistics = model.statistics.snapshot
        #expect(statistics.inferences == 1 && statistics.executions == 1 && statistics.success.count == 1)
    }

    @Test func requestsAreChecked() async throws {
        let service = try service()
        let model = try service.repository.ready("simple", nil)
        let good = [numbers("INPUT0", Array(0..<16)), numbers("INPUT1", Array(0..<16))]
        let wrong: [([WireTensor], String)] = [
            ([], "expected input 'INPUT0'"), ([good[0]], "expected input 'INPUT1'"),
            (good + [good[0].renamed("INPUT2")], "found input 'INPUT2'"), (good + [good[0]], "'INPUT0' twice"),
            ([good[0], numbers("INPUT1", Array(0..<8))], "expected shape [-1, 16], found [1, 8]"),
            ([good[0], numbers("INPUT1", Array(0..<32), rows: 2)], "expected a batch size of 1"),
            (
                ["INPUT0", "INPUT1"].map { numbers($0, Array(repeating: 0, count: 144), rows: 9) },
                "expected a batch size in 1...8, found 9"
            ),
            (
                [good[0], WireTensor(name: "INPUT1", strings: Array(repeating: [], count: 16), shape: [1, 16])],
                "expected datatype INT32"
            ),
        ]
        for (inputs, message) in wrong {
            await #expect {
                try await service.infer(InferenceRequest(inputs: inputs), on: model, for: nil)
            } throws: { "\($0)".contains(message) }
        }
        #expect(model.statistics.snapshot.failure.count == wrong.count && model.statistics.snapshot.pending == 0)
    }

    @Test func sequencesBegin() async throws {
        let service = try service()
        let model = try service.repository.ready("simple_sequence", nil)
        func send(_ value: Int32, _ parameters: JSONValue) async throws -> Int32? {
            var request = InferenceRequest(inputs: [numbers("INPUT", [value])])
            request.parameters = parameters.objectValue ?? JSONObject()
            return try await service.infer(request, on: model, for: nil).outputs[0].integers(Int32.self).first
        }
        await #expect(throws: InferenceError.self) { try await send(1, ["sequence_id": 5]) }
        #expect(try await send(0, ["sequence_id": 5, "sequence_start": true]) == 1)
        #expect(try await send(9, ["sequence_id": 5, "sequence_end": true]) == 9)
        await #expect(throws: InferenceError.self) { try await send(1, ["sequence_id": 5]) }
    }

    @Test func decoupledModelsAnswerOften() async throws {
        let service = try service()
        let model = try service.repository.ready("repeat_int32", nil)
        let zero = WireTensor(name: "DELAY", datatype: .uint32, shape: [3], elements: [UInt32](repeating: 0, count: 3))
        let wait = WireTensor(name: "WAIT", datatype: .uint32, shape: [1], elements: [UInt32(0)])
        let values = WireTensor(name: "IN", datatype: .int32, shape: [3], elements: [Int32(4), 2, 0])
        let request = InferenceRequest(inputs: [values, zero, wait])
        let found = Mutex<[Int32]>([])
        try await service.infer(request, on: model, for: nil) { answer in
            found.withLock { $0 += answer.outputs[0].integers() }
        }
        #expect(found.withLock { $0 } == [4, 2, 0])
        await #expect(throws: InferenceError.self) { try await service.infer(request, on: model, for: nil) }
    }

    @Test func classesAreTheLargest() async throws {
        let service = try service()
        let model = try service.repository.ready("simple", nil)
        var request = InferenceRequest(inputs: [
            numbers("INPUT0", Array(0..<16)), numbers("INPUT1", Array(repeating: 0, count: 16)),
        ])
        request.outputs = [try .init(name: "OUTPUT0", parameters: JSONObject([("classification", 2)]))]
        let answer = try await service.infer(request, on: model, for: nil)
        #expect(answer.outputs.map(\.shape) == [[1, 2]])
        #expect(
            answer.outputs[0].strings.map { String(decoding: $0, as: UTF8.self) } == ["15.000000:15", "14.000000:14"])
    }
}
