import HTTPTypes
import Hummingbird

/// Lets a request pass whose key allows its route, within the key's limits. It stands before every route, and before the
/// answer that there is no such route.
struct Authentication: RouterMiddleware {
    typealias Context = ServingContext

    let keys: KeyStore
    let rule: AccessRule

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
        guard let grant else { throw APIError.unauthorized }
        guard grant.scopes.contains(scope) else { throw APIError.forbidden(scope) }
        guard scope == .inference else { return try await next(request, context) }
        return try await answer(request, context, grant.tenant, next)
    }

    /// Answers within the tenant's limits, and says what is left of them.
    @concurrent private func answer(
        _ request: Request, _ context: ServingContext, _ tenant: Tenant,
        _ next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        try tenant.enter()
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
