import HTTPTypes
import Hummingbird

/// Counts the requests that are being answered, and takes no new ones while the server drains.
struct Admission: RouterMiddleware {
    typealias Context = ServingContext

    let state: ServerState

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        // What only looks is answered to the end.
        if request.method == .get || request.method == .head { return try await next(request, context) }
        guard state.enter() else { throw APIError.draining }
        do {
            var response = try await next(request, context)
            response.body = response.body.finally { [state] in state.leave() }
            if state.phase > .serving { response.headers[.connection] = "close" }
            return response
        } catch {
            state.leave()
            throw error
        }
    }
}
