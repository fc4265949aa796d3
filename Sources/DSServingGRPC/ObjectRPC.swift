import DSServing
import DSSupport
import GRPCCore

/// Messages as they are on the wire.
struct BytesCoding: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> [UInt8] {
        serializedMessageBytes.withUnsafeBytes { Array($0) }
    }
}

/// A call with one request and one answer that are small: objects in the names of the protocol. The messages are named as the
/// call: `NameRequest`, `NameResponse`.
struct ObjectRPC: Sendable {
    let name: String
    let answer: @Sendable (JSONObject) async throws -> JSONValue

    init(_ name: String, _ answer: @escaping @Sendable (JSONObject) async throws -> JSONValue) {
        self.name = name
        self.answer = answer
    }

    func call(_ bytes: [UInt8], request: String, response: String) async throws -> [UInt8] {
        try await RPCFailure.translated {
            let object = try MessageDecoder(schema: ServiceMessages.schema).decode(bytes[...], as: request)
            let answer = try await answer(object)
            return try MessageEncoder(schema: ServiceMessages.schema).encode(
                answer.objectValue ?? JSONObject(), as: response)
        }
    }
}

extension RPCRouter {
    /// Registers a call with one request and one answer.
    mutating func addUnary(
        service: String, method: String, _ answer: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: service, method: method),
            deserializer: BytesCoding(), serializer: BytesCoding()
        ) { request, _ in
            let message = try await ServerRequest(stream: request).message
            return StreamingServerResponse(single: ServerResponse(message: try await answer(message)))
        }
    }
}
