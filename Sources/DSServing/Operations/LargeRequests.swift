import HTTPTypes
import Hummingbird

/// Answers large requests on threads of their own. Parsing and tokenising tens of megabytes takes seconds; on Swift's
/// shared threads, of which there is one per processor, a few of them would hold up every other connection.
struct LargeRequests: RouterMiddleware {
    typealias Context = ServingContext

    /// Bytes that take a fraction of a millisecond.
    private static let largeBytes = 64 << 10

    let executor: ThreadExecutor

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        guard Self.isLarge(request) else { return try await next(request, context) }
        return try await withTaskExecutorPreference(executor) { try await next(request, context) }
    }

    private static func isLarge(_ request: Request) -> Bool {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }) { return length > largeBytes }
        // Its length is not known before its end.
        return request.headers[.transferEncoding] != nil
    }
}
