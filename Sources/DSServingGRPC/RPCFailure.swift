import DSEngine
import DSServing
import GRPCCore

/// Errors of the service as gRPC has them.
enum RPCFailure {
    static let stopping = RPCError(code: .unavailable, message: "the server is stopping")

    static func translated<Result>(_ body: () throws -> Result) throws(RPCError) -> Result {
        do { return try body() } catch { throw translate(error) }
    }

    static func translated<Result>(_ body: () async throws -> Result) async throws(RPCError) -> Result {
        do { return try await body() } catch { throw translate(error) }
    }

    static func translate(_ error: any Error) -> RPCError {
        switch error {
        case let error as RPCError: error
        case let error as InferenceError: RPCError(code: code(error.kind), message: error.message)
        case let error as EngineError: RPCError(code: code(error), message: error.description)
        case is CancellationError: RPCError(code: .cancelled, message: "the request was cancelled")
        default: RPCError(code: .internalError, message: "failed: \(error)")
        }
    }

    private static func code(_ kind: InferenceError.Kind) -> RPCError.Code {
        switch kind {
        case .invalidArgument: .invalidArgument
        case .notFound: .notFound
        case .unavailable: .unavailable
        case .unsupported: .unimplemented
        case .alreadyExists: .alreadyExists
        case .deadlineExceeded: .deadlineExceeded
        case .internalFailure: .internalError
        }
    }

    private static func code(_ error: EngineError) -> RPCError.Code {
        switch error {
        case .invalidParameter, .invalidConstraint, .contextExceeded, .promptFailure: .invalidArgument
        case .queueFull, .queueTokensExceeded, .queueTimeout, .shutDown: .unavailable
        case .deadlineExceeded: .deadlineExceeded
        case .modelFailure: .internalError
        }
    }
}
