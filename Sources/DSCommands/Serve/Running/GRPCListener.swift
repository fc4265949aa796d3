import DSServingGRPC

/// A gRPC server that runs beside the HTTP server.
struct GRPCListener {
    let port: Int
    private let server: InferenceGRPCServer
    private let task: Task<Void, any Error>

    /// Returns when connections are accepted.
    static func start(_ server: InferenceGRPCServer) async throws -> GRPCListener {
        let (starts, continuation) = AsyncStream.makeStream(of: Result<Int, any Error>.self)
        let task = Task {
            do {
                try await server.run { port in continuation.yield(.success(port)) }
            } catch {
                continuation.yield(.failure(error))
                throw error
            }
        }
        for await start in starts { return GRPCListener(port: try start.get(), server: server, task: task) }
        throw CancellationError()
    }

    /// Accepts no more calls and waits for the running ones.
    func stop() async {
        server.stop()
        _ = await task.result
    }
}
