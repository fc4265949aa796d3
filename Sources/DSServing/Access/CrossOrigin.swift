import HTTPTypes
import Hummingbird

/// Tells browsers which pages may call the server. A preflight request carries no key, so it is answered before keys are
/// asked for.
struct CrossOrigin: RouterMiddleware {
    typealias Context = ServingContext

    /// `*` is every origin.
    let origins: Set<String>

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else { return try await next(request, context) }
        let isAllowed = origins.contains("*") || origins.contains(origin)
        let isPreflight = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        guard isAllowed else {
            if isPreflight { return Response(status: .forbidden) }
            return try await next(request, context)
        }
        var response = isPreflight ? preflight(request) : try await next(request, context)
        response.headers[.accessControlAllowOrigin] = origins.contains("*") ? "*" : origin
        response.headers[.vary] = "Origin"
        return response
    }

    private func preflight(_ request: Request) -> Response {
        var headers: HTTPFields = [
            .accessControlAllowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE", .accessControlMaxAge: "600",
        ]
        headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
        return Response(status: .noContent, headers: headers)
    }
}
