import DSServing
import DSSupport
import GRPCCore

/// `grpc.health.v1.Health`: the whole server, the inference service, or a model by its name.
struct HealthRPCs: RegistrableRPCService {
    static let name = "grpc.health.v1.Health"

    let service: InferenceService

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        let check = ObjectRPC("Check") { request in
            guard let status = status(of: request.text("service")) else {
                throw InferenceError(
                    .notFound, "health: expected a known service, found '\(request.text("service"))'")
            }
            return ["status": .text(status)]
        }
        router.addUnary(service: Self.name, method: "Check") { bytes in
            try await check.call(bytes, request: "HealthCheckRequest", response: "HealthCheckResponse")
        }
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: Self.name, method: "Watch"),
            deserializer: BytesCoding(), serializer: BytesCoding()
        ) { request, context in
            let bytes = try await ServerRequest(stream: request).message
            return StreamingServerResponse(of: [UInt8].self) { writer in
                try await watch(bytes, writer, context)
                return [:]
            }
        }
    }

    /// Tells the status at once and whenever it changes.
    private func watch(_ request: [UInt8], _ writer: RPCWriter<[UInt8]>, _ context: ServerContext) async throws {
        let schema = ServiceMessages.schema
        let object = try RPCFailure.translated {
            try MessageDecoder(schema: schema).decode(request[...], as: "HealthCheckRequest")
        }
        var last: String?
        while !context.cancellation.isCancelled {
            let status = status(of: object.text("service")) ?? "SERVICE_UNKNOWN"
            if status != last {
                let answer = JSONObject([("status", .text(status))])
                try await writer.write(try MessageEncoder(schema: schema).encode(answer, as: "HealthCheckResponse"))
            }
            last = status
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// `nil`: no such service.
    private func status(of name: String) -> String? {
        if name.isEmpty || name == InferenceRPCs.name {
            return service.isReady ? "SERVING" : "NOT_SERVING"
        }
        do {
            _ = try service.repository.ready(name, nil)
            return service.isServing ? "SERVING" : "NOT_SERVING"
        } catch {
            return error.kind == .notFound ? nil : "NOT_SERVING"
        }
    }
}
