import DSEngine
import DSObservability
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// The HTTP server: routes over a catalog of models.
package struct DeepSeekServer {
    package struct Configuration: Sendable {
        package enum Address: Sendable, Equatable {
            /// Port 0 takes a free one.
            case tcp(host: String, port: Int)
            case socket(path: String)
        }

        package var address = Address.tcp(host: "127.0.0.1", port: 8080)
        /// Bytes of the largest request body.
        package var maximumBodyBytes = 64 << 20
        /// Seconds after which a connection is closed that carries no request, or whose request stops coming.
        package var idleSeconds = 60
        /// Seconds after which a stream that has nothing to say sends a comment; 0: never.
        package var keepAliveSeconds = 15
        /// Seconds within which the whole of a request must have come.
        package var requestSeconds = 300
        /// On one more, requests are refused.
        package var maximumConnections = 4096
        /// Origins of pages that browsers let call the server; `*` is all.
        package var allowedOrigins: [String] = []
        package var accessRule = AccessRule()
        /// Seconds without a step after which an engine that has work is stuck.
        package var livenessSeconds = 120
        package var version = ""
        package var prefixCacheSharing = PrefixCacheSharing.tenant

        package var observability = Observability()

        package init() {}
    }

    private let catalog: ModelCatalog
    private let inference: InferenceService?
    private let configuration: Configuration
    private let state: ServerState
    private let keys: KeyStore
    private let certificates: CertificateStore?
    private let administration: Administration?
    private let monitor: HealthMonitor
    private let logger: Logger

    /// - Parameters:
    ///   - inference: what answers under `/v2`; nil: nothing.
    ///   - keys: without keys everybody may use the server.
    ///   - certificates: nil: no TLS.
    ///   - administration: what the routes under `/admin` do; they exist if there is a key for them.
    package init(
        catalog: ModelCatalog, inference: InferenceService? = nil, configuration: Configuration,
        state: ServerState = ServerState(.serving),
        keys: KeyStore = KeyStore([]), certificates: CertificateStore? = nil, administration: Administration? = nil,
        logger: Logger
    ) {
        self.catalog = catalog
        self.inference = inference
        self.configuration = configuration
        self.state = state
        self.keys = keys
        self.certificates = certificates
        self.administration = administration
        self.logger = logger
        monitor = HealthMonitor(
            catalog: catalog, state: state, repository: inference?.repository,
            timeout: .seconds(configuration.livenessSeconds))
    }

    /// Serves until `stopping` ends or the task is cancelled; then finishes what was begun and returns.
    /// - Parameters:
    ///   - stopping: ends when the server is to close. Signals are the caller's.
    ///   - onRunning: called once with the port (0 for a socket), when connections are accepted.
    /// - Throws: `SocketFailure` when the address cannot be taken.
    package func run(
        until stopping: AsyncStream<Never> = AsyncStream { _ in },
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws {
        let connections = ClientConnections()
        let application = Application(
            router: router(connections), server: server(connections),
            configuration: ApplicationConfiguration(address: address, serverName: "deepseek-server"),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        let stop = Task {
            for await _ in stopping {}
            // Not at the end of this task's own cancellation.
            if !Task.isCancelled { await group.triggerGracefulShutdown() }
        }
        defer { stop.cancel() }
        do {
            if let exporter = configuration.observability.exporter {
                try await exporter.export { try await group.run() }
            } else {
                try await group.run()
            }
        } catch let error as IOError {
            throw SocketFailure(code: error.errnoCode)
        }
    }

    private var address: BindAddress {
        switch configuration.address {
        case .tcp(let host, let port): .hostname(host, port: port)
        case .socket(let path): .unixDomainSocket(path: path)
        }
    }

    private func server(_ connections: ClientConnections) -> HTTPServerBuilder {
        let limits = ConnectionLimits(
            connections: configuration.maximumConnections, requestSeconds: configuration.requestSeconds)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionObserver(connections),
                ProbeHandler(monitor: monitor, keys: keys, connections: connections, limits: limits),
            ],
            idleTimeout: .seconds(Int64(configuration.idleSeconds)))
        guard let certificates else { return .http1(configuration: channel) }
        return HTTPServerBuilder { responder in
            SecureChannel(
                base: HTTP1Channel(responder: responder, configuration: channel), certificates: certificates)
        }
    }

    /// Middleware stands before every route, whatever group adds it, and before the answer that there is none.
    package func router(_ connections: ClientConnections) -> Router<ServingContext> {
        let router = Router(context: ServingContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestObserver(configuration.observability, logger: logger))
        if !configuration.allowedOrigins.isEmpty {
            router.add(middleware: CrossOrigin(origins: Set(configuration.allowedOrigins)))
        }
        router.add(middleware: ErrorBodies(logger: logger, bodyLimit: configuration.maximumBodyBytes))
        router.add(
            middleware:
                Authentication(
                    keys: keys, rule: configuration.accessRule, bodyLimit: configuration.maximumBodyBytes))
        router.add(middleware: Admission(state: state))
        router.add(middleware: LargeRequests(executor: .largeRequests))
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
            // OpenAPI has no parameter of several parts.
            router.routes.map { "\($0.method) \($0.path)".replacing("**", with: "{rest}") }.sorted(),
            groups.flatMap(\.operations).map { "\($0.method) \($0.path)" }.sorted()
        )
    }

    private func routeGroups(_ connections: ClientConnections) -> [any RouteGroup] {
        let generation = GenerationService(
            catalog: catalog, connections: connections, bodyLimit: configuration.maximumBodyBytes,
            sharing: configuration.prefixCacheSharing,
            keepAlive: configuration.keepAliveSeconds > 0 ? .seconds(configuration.keepAliveSeconds) : nil)
        var groups: [any RouteGroup] = [
            HealthRoutes(monitor: monitor),
            ServerRoutes(state: state, version: configuration.version),
            ModelRoutes(catalog: catalog),
            MetricsRoutes(catalog: catalog, observability: configuration.observability),
            ChatCompletions(service: generation),
            Completions(service: generation),
            TokenRoutes(service: generation),
            Embeddings(service: generation),
            Responses(
                service: generation, store: ResponseStore(), state: state,
                metrics: configuration.observability.metrics),
            Messages(service: generation),
        ]
        if let administration { groups.append(AdministrationRoutes(administration: administration, keys: keys)) }
        groups += inferenceRoutes(connections)
        return groups + [DocumentRoutes(version: configuration.version, others: groups.flatMap(\.operations))]
    }

    /// The V2 protocol, where the server has a repository of models.
    private func inferenceRoutes(_ connections: ClientConnections) -> [any RouteGroup] {
        guard let inference else { return [] }
        let limit = configuration.maximumBodyBytes
        return [
            InferenceRoutes(service: inference, connections: connections, bodyLimit: limit),
            GenerateRoutes(service: inference, connections: connections, bodyLimit: limit),
            RepositoryRoutes(service: inference, bodyLimit: limit),
            SharedMemoryRoutes(service: inference, bodyLimit: limit),
        ]
    }

    /// Answers 405 with the `allow` header to wrong methods on the paths that exist.
    private func refuseOtherMethods(_ router: Router<ServingContext>) {
        for routes in Dictionary(grouping: router.routes, by: \.path.description).values {
            var allowed = Set(routes.map(\.method))
            if allowed.contains(.get) { allowed.insert(.head) }
            let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]
            for method in methods where !allowed.contains(method) {
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
