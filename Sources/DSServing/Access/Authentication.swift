import HTTPTypes
import Hummingbird

/// Lets a request pass whose key allows its route, within the key's limits. It stands before every route, and before the
/// answer that there is no such route.
struct Authentication: RouterMiddleware {
    typealias Context = ServingContext

    let keys: KeyStore
    let rule: AccessRule
    /// Bytes of the largest body.
    let bodyLimit: Int

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        guard !keys.isOpen else { return try await next(request, context) }
        let grant = Credentials.secret(in: request.headers).flatMap(keys.grant)
        var context = context
        context.tenant = grant?.tenant
        context.mayReadFigures = grant != nil
        context.record.update { $0.tenant = grant?.tenant.name }
        guard let scope = rule.scope(for: request.method, path: request.uri.path) else {
            return try await next(request, context)
        }
        guard let grant else { throw await refusal(.unauthorized, request) }
        guard grant.scopes.contains(scope) else { throw await refusal(.forbidden(scope), request) }
        // What only looks something up is no work.
        guard scope == .inference, request.method == .post else { return try await next(request, context) }
        return try await answer(request, context, grant.tenant, next)
    }

    /// A connection that ends with this answer is read no further behind it, and a client that is still sending its body would wait
    /// for ever: the body is read first. What is longer than any body may be, nobody waits for.
    @concurrent private func refusal(_ error: APIError, _ request: Request) async -> APIError {
        guard request.headers[.connection]?.lowercased() == "close" else { return error }
        var bytes = 0
        do {
            for try await piece in request.body {
                bytes += piece.readableBytes
                if bytes > bodyLimit { break }
            }
        } catch {
            // The connection broke: nobody reads the answer.
        }
        return error
    }

    /// Answers within the tenant's limits, and says what is left of them.
    @concurrent private func answer(
        _ request: Request, _ context: ServingContext, _ tenant: Tenant,
        _ next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        do throws(APIError) {
            try tenant.enter()
        } catch {
            throw await refusal(error, request)
        }
        do {
            var response = try await next(request, context)
            for field in tenant.headers() { response.headers[field.name] = field.value }
            response.body = response.body.finally { tenant.leave() }
            return response
        } catch {
            tenant.leave()
            throw error
        }
    }
}
