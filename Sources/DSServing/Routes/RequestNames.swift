import HTTPTypes
import Hummingbird

/// Gives every request a name: the one in its `x-request-id`, or a new one. The answer repeats it.
struct RequestNames: RouterMiddleware {
    typealias Context = ServingContext

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = Self.name(of: request) ?? AnswerIdentity.randomName()
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        return response
    }

    /// What a client calls its request, if that can stand in a header and in an id.
    static func name(of request: Request) -> String? {
        guard let name = request.headers[.requestID], (1...128).contains(name.utf8.count),
            name.utf8.allSatisfy({ (33...126).contains($0) })
        else { return nil }
        return name
    }
}
