import DSEngine

extension ServerSentEvents {
    /// Runs `body`; what fails after the answer began can only be told inside the stream, as an event with `error`.
    @concurrent mutating func guarded(_ body: @concurrent (inout ServerSentEvents) async throws -> Void) async throws {
        do {
            try await body(&self)
        } catch let error as EngineError {
            try await send(APIError(error).body)
        }
    }
}
