import DSEngine
import Hummingbird
import Logging
import NIOCore

/// Gives every failure the error body of its API: routes that do not exist, and errors that are not ours.
struct ErrorBodies: RouterMiddleware {
    typealias Context = ServingContext

    let logger: Logger
    let bodyLimit: Int

    /// Routes of which the base URL's `/v1` may be missing.
    private static let underV1: Set = [
        "/chat/completions", "/completions", "/responses", "/embeddings", "/models", "/messages",
        "/messages/count_tokens",
    ]

    /// The field that holds the prompt in bodies for this path.
    private static func promptField(_ path: String) -> String {
        switch path {
        case "/v1/completions": "prompt"
        case "/v1/embeddings", "/v1/responses", "/v1/responses/input_tokens": "input"
        case _ where path.hasPrefix("/v2/"): "text_input"
        default: "messages"
        }
    }

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            context.record.failed(error)
            return try error.response(from: request, context: context)
        } catch let error as EngineError {
            let error = APIError(error, promptField: Self.promptField(request.uri.path))
            context.record.failed(error)
            return try error.response(from: request, context: context)
        } catch let error as HTTPError {
            let type = error.status == .notFound ? "not_found_error" : "invalid_request_error"
            let path = request.uri.path
            var message = "\(request.method) \(path): \(error.body ?? error.status.reasonPhrase)"
            // Clients add a route to a base URL that people type.
            if error.status == .notFound, Self.underV1.contains(path) { message += "; did you mean /v1\(path)?" }
            return try APIError(status: error.status, message: message, type: type)
                .response(from: request, context: context)
        } catch is NIOTooManyBytesError {
            let message = "The body: expected at most \(bodyLimit) bytes, found more"
            return try APIError(status: .contentTooLarge, message: message, type: "invalid_request_error")
                .response(from: request, context: context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.record.update { $0.error = "server_error" }
            context.logger.error("\(request.method) \(request.uri.path) failed: \(error)")
            // What went wrong inside is for the log, not for clients.
            return try APIError(
                status: .internalServerError, message: "The server failed to answer; its log says why.",
                type: "server_error"
            ).response(from: request, context: context)
        }
    }
}
