import DSServing
import DSSupport
import GRPCCore

/// Answers the requests of one `ModelStreamInfer`. Requests to decoupled models are answered side by side, all others in
/// their order, which sequences rely on.
struct InferenceStream: Sendable {
    let service: InferenceService
    let state: ServerState
    let writer: RPCWriter<[UInt8]>

    @concurrent func answer(_ requests: RPCAsyncSequence<[UInt8], any Error>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for try await bytes in requests {
                var id = ""
                let call: InferenceCall
                do {
                    let message = try InferMessage(bytes)
                    id = message.id
                    call = try InferenceCall(message, service)
                } catch {
                    try await fail(error, id: id)
                    continue
                }
                if call.model.model.configuration.isDecoupled {
                    group.addTask { try await answer(call) }
                } else {
                    try await answer(call)
                }
            }
        }
    }

    /// Failures of a request are messages of the stream, which goes on.
    @concurrent private func answer(_ call: InferenceCall) async throws {
        guard state.enter() else { return try await fail(RPCFailure.stopping, id: call.request.id) }
        defer { state.leave() }
        let tenant = CallRecord.current?.state.tenant
        do {
            try tenant?.enter()
        } catch {
            return try await fail(RPCError(code: .resourceExhausted, message: error.message), id: call.request.id)
        }
        defer { tenant?.leave() }
        try await answer(call, for: tenant)
    }

    @concurrent private func answer(_ call: InferenceCall, for tenant: Tenant?) async throws {
        let record = CallRecord.current.map { RequestRecord(after: $0.request) } ?? RequestRecord()
        defer { CallRecord.current?.answered(record) }
        let isDecoupled = call.model.model.configuration.isDecoupled
        do {
            try await service.infer(call.request, on: call.model, for: tenant, record: record) { answer in
                var answer = answer
                answer.parameters["triton_final_response"] = .bool(!isDecoupled)
                try await write(try call.response(answer))
            }
            let wantsEnd = call.request.parameters["triton_enable_empty_final_response"]?.boolValue ?? false
            guard isDecoupled, wantsEnd else { return }
            var end = InferenceResponse(outputs: [])
            end.parameters["triton_final_response"] = true
            try await write(try call.response(end))
        } catch let error as CancellationError {
            throw error
        } catch {
            try await fail(error, id: call.request.id)
        }
    }

    /// `ModelStreamInferResponse` with an answer.
    @concurrent private func write(_ response: [UInt8]) async throws {
        var message = WireWriter()
        message.field(2, bytes: response)
        try await writer.write(message.bytes)
    }

    /// `ModelStreamInferResponse` with an error.
    @concurrent private func fail(_ error: any Error, id: String) async throws {
        var response = WireWriter()
        response.field(3, text: id)
        var message = WireWriter()
        message.field(1, text: RPCFailure.translate(error).message)
        message.field(2, bytes: response.bytes)
        try await writer.write(message.bytes)
    }
}
