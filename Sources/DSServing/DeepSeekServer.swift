import DSEngine
package import Hummingbird
package import Logging
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The HTTP server: routes over a catalog of models.
package struct DeepSeekServer {
    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0 takes a free port.
        package var port = 8080
        /// Bytes of the largest request body.
        package var maximumBodyBytes = 64 << 20
        /// Seconds after which a connection is closed that carries no request, or whose request stops coming.
        package var idleSeconds = 60
        /// Seconds after which a stream that has nothing to say sends a comment; 0: never.
        package var keepAliveSeconds = 15
        package var version = ""

        package init() {}
    }

    private let catalog: ModelCatalog
    private let configuration: Configuration
    private let logger: Logger

    package init(catalog: ModelCatalog, configuration: Configuration, logger: Logger) {
        self.catalog = catalog
        self.configuration = configuration
        self.logger = logger
    }

    /// Serves until the process is told to stop (SIGINT, SIGTERM) or the task is cancelled.
    /// - Parameter onRunning: called once with the port, when connections are accepted.
    /// - Throws: `SocketFailure` when the address cannot be taken.
    package func run(onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let connections = ClientConnections()
        let application = Application(
            router: router(connections),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionObserver(connections)],
                    idleTimeout: .seconds(Int64(configuration.idleSeconds)))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "deepseek-server"),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
        do {
            try await application.runService()
        } catch let error as IOError {
            throw SocketFailure(code: error.errnoCode)
        }
    }

    func router(_ connections: ClientConnections) -> Router<ServingContext> {
        let router = Router(context: ServingContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestNames())
        router.add(middleware: ErrorBodies(logger: logger, bodyLimit: configuration.maximumBodyBytes))
        for group in routeGroups(connections) { group.add(to: router) }
        refuseOtherMethods(router)
        return router
    }

    /// What the server serves, and what its document says that it serves: the same, as a test makes sure.
    package var servedAndDescribed: (served: [String], described: [String]) {
        let router = Router(context: ServingContext.self)
        let groups = routeGroups(ClientConnections())
        for group in groups { group.add(to: router) }
        return (
            router.routes.map { "\($0.method) \($0.path.description)" }.sorted(),
            groups.flatMap(\.operations).map { "\($0.method) \($0.path)" }.sorted()
        )
    }

    private func routeGroups(_ connections: ClientConnections) -> [any RouteGroup] {
        let generation = GenerationService(
            catalog: catalog, connections: connections, bodyLimit: configuration.maximumBodyBytes,
            keepAlive: configuration.keepAliveSeconds > 0 ? .seconds(configuration.keepAliveSeconds) : nil)
        let groups: [any RouteGroup] = [
            HealthRoutes(catalog: catalog),
            ModelRoutes(catalog: catalog),
            ChatCompletions(service: generation),
            Completions(service: generation),
            TokenRoutes(service: generation),
            Responses(service: generation, store: ResponseStore()),
            Messages(service: generation),
        ]
        return groups + [DocumentRoutes(version: configuration.version, others: groups.flatMap(\.operations))]
    }

    /// Answers 405 with the `allow` header to wrong methods on the paths that exist.
    private func refuseOtherMethods(_ router: Router<ServingContext>) {
        for routes in Dictionary(grouping: router.routes, by: \.path.description).values {
            var allowed = Set(routes.map(\.method))
            if allowed.contains(.get) { allowed.insert(.head) }
            let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete] where !allowed.contains(method)
            {
                router.on(routes[0].path, method: method) { request, context in
                    let message = "\(request.method) \(request.uri.path): expected \(list)"
                    var response = try APIError(
                        status: .methodNotAllowed, message: message, type: "invalid_request_error"
                    ).response(from: request, context: context)
                    response.headers[.allow] = list
                    return response
                }
            }
        }
    }
}

/// A system call of the server's socket that failed.
package struct SocketFailure: Error, CustomStringConvertible {
    package let code: Int32

    package var description: String {
        let system = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "unknown error"
        let reason = code == EADDRINUSE ? "the port is in use" : system
        return "\(reason) (errno \(code))"
    }
}
