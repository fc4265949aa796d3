import DSServing
import GRPCCore

/// Lets a call pass whose key allows it, within the key's limits, as the middleware of the same name does for HTTP.
struct Authentication: ServerInterceptor {
    let keys: KeyStore

    @concurrent func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                StreamingServerRequest<Input>, ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let kind = CallKind(context.descriptor)
        // Probes hold no key.
        guard !keys.isOpen, kind != .probe else { return try await next(request, context) }
        guard let grant = Self.secret(in: request.metadata).flatMap(keys.grant) else {
            throw RPCError(code: .unauthenticated, message: "expected an API key, found none that is known")
        }
        CallRecord.current?.setTenant(grant.tenant)
        let scope: APIKey.Scope = kind == .administration ? .admin : .inference
        guard grant.scopes.contains(scope) else {
            throw RPCError(code: .permissionDenied, message: "expected a key for '\(scope.rawValue)', found another")
        }
        // The limits of a stream are those of its requests.
        guard scope == .inference, kind != .stream else { return try await next(request, context) }
        do {
            try grant.tenant.enter()
        } catch {
            throw RPCError(code: .resourceExhausted, message: error.message)
        }
        do {
            let response = try await next(request, context)
            return Self.leaving(response, grant.tenant)
        } catch {
            grant.tenant.leave()
            throw error
        }
    }

    /// The call counts until its last message was written.
    private static func leaving<Output>(
        _ response: StreamingServerResponse<Output>, _ tenant: Tenant
    ) -> StreamingServerResponse<Output> {
        switch response.accepted {
        case .failure:
            tenant.leave()
            return response
        case .success(let contents):
            return StreamingServerResponse(of: Output.self, metadata: contents.metadata) { writer in
                defer { tenant.leave() }
                return try await contents.producer(writer)
            }
        }
    }

    /// `authorization: Bearer KEY` or `x-api-key: KEY`.
    private static func secret(in metadata: Metadata) -> String? {
        for value in metadata[stringValues: "authorization"] {
            let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            if parts.count == 2, parts[0].lowercased() == "bearer" { return String(parts[1]) }
        }
        return metadata[stringValues: "x-api-key"].first { _ in true }
    }
}
