import DSServing
import DSSupport
import GRPCCore

/// `inference.GRPCInferenceService`: the V2 protocol over gRPC.
struct InferenceRPCs: RegistrableRPCService {
    static let name = "inference.GRPCInferenceService"

    let service: InferenceService
    let state: ServerState

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for call in modelCalls + repositoryCalls + systemCalls {
            router.addUnary(service: Self.name, method: call.name) { bytes in
                try await call.call(bytes, request: call.name + "Request", response: call.name + "Response")
            }
        }
        router.addUnary(service: Self.name, method: "ModelInfer") { [service] bytes in
            try await Self.infer(bytes, service)
        }
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: Self.name, method: "ModelStreamInfer"),
            deserializer: BytesCoding(), serializer: BytesCoding()
        ) { [service, state] request, _ in
            StreamingServerResponse(of: [UInt8].self) { writer in
                try await Self.stream(
                    request.messages, InferenceStream(service: service, state: state, writer: writer))
                return [:]
            }
        }
    }

    private static func infer(_ bytes: [UInt8], _ service: InferenceService) async throws -> [UInt8] {
        try await RPCFailure.translated {
            let call = try InferenceCall(try InferMessage(bytes), service)
            // gRPC tells that the client has gone by a handle, not by cancelling the task.
            let tenant = CallRecord.current?.state.tenant
            let record = CallRecord.current?.request ?? RequestRecord()
            let task = Task { try await service.infer(call.request, on: call.model, for: tenant, record: record) }
            let answer = try await withRPCCancellationHandler {
                try await task.value
            } onCancelRPC: {
                task.cancel()
            }
            return try call.response(answer)
        }
    }

    private static func stream(
        _ requests: RPCAsyncSequence<[UInt8], any Error>, _ stream: InferenceStream
    ) async throws {
        let task = Task { try await stream.answer(requests) }
        try await withRPCCancellationHandler {
            try await task.value
        } onCancelRPC: {
            task.cancel()
        }
    }

    private var modelCalls: [ObjectRPC] {
        let service = service
        return [
            ObjectRPC("ServerLive") { _ in ["live": true] },
            ObjectRPC("ServerReady") { _ in ["ready": .bool(service.isReady)] },
            ObjectRPC("ModelReady") { request in
                ["ready": .bool(service.isReady(request.text("name"), try request.version))]
            },
            ObjectRPC("ServerMetadata") { _ in service.metadata },
            ObjectRPC("ModelMetadata") { request in
                try service.metadata(request.text("name"), try request.version)
            },
            ObjectRPC("ModelConfig") { request in
                ["config": try service.configuration(request.text("name"), try request.version)]
            },
            ObjectRPC("ModelStatistics") { request in
                let name = request.text("name")
                return try service.statistics(name.isEmpty ? nil : name, try request.version)
            },
        ]
    }

    private var repositoryCalls: [ObjectRPC] {
        let service = service
        return [
            ObjectRPC("RepositoryIndex") { request in
                ["models": service.repository.index(onlyReady: request["ready"]?.boolValue ?? false)]
            },
            ObjectRPC("RepositoryModelLoad") { request in
                let parameters = request["parameters"]?.objectValue ?? JSONObject()
                if let file = parameters.keys.first(where: { $0.string.hasPrefix("file:") }) {
                    throw InferenceError(
                        .unsupported, "parameter '\(file)': expected models in the repository's folder")
                }
                try await service.repository.requestLoad(
                    request.text("model_name"),
                    configuration: try RepositoryLoad.configuration(
                        parameters["config"]?["string_param"]?.stringValue))
                return [:]
            },
            ObjectRPC("RepositoryModelUnload") { request in
                try await service.repository.requestUnload(request.text("model_name"))
                return [:]
            },
        ]
    }
}

extension JSONObject {
    /// A text of a message; its default is empty.
    func text(_ key: String) -> String { self[key]?.stringValue ?? "" }

    var version: Int? {
        get throws(InferenceError) { try InferenceService.version(text("version")) }
    }
}
