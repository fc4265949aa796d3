package import DSServing
import GRPCCore
import GRPCNIOTransportHTTP2
package import Logging

/// The V2 protocol on a port of its own.
package final class InferenceGRPCServer: Sendable {
    package struct Configuration: Sendable {
        /// A numeric address, or `localhost`.
        package var host: String
        /// 0 takes a free one.
        package var port: Int
        /// Of one message.
        package var maximumRequestBytes: Int

        package init(host: String, port: Int, maximumRequestBytes: Int) {
            self.host = host
            self.port = port
            self.maximumRequestBytes = maximumRequestBytes
        }
    }

    private let server: GRPCServer<HTTP2ServerTransport.Posix>

    /// - Parameters:
    ///   - state: what counts calls, and says that none are taken any more.
    ///   - keys: as for HTTP; without keys everybody may call.
    ///   - certificates: as for HTTP; `nil`: no TLS.
    ///   - costs: as for HTTP; `nil`: no prices are set.
    package init(
        service: InferenceService, configuration: Configuration, state: ServerState, keys: KeyStore,
        certificates: CertificateStore?, metrics: ServingMetrics,
        costs: CostModel?, logger: Logger
    ) throws {
        let host = configuration.host == "localhost" ? "127.0.0.1" : configuration.host
        let port = configuration.port
        let transport = HTTP2ServerTransport.Posix(
            address: host.contains(":") ? .ipv6(host: host, port: port) : .ipv4(host: host, port: port),
            transportSecurity: try Self.security(certificates),
            config: .defaults { config in config.rpc.maxRequestPayloadSize = configuration.maximumRequestBytes })
        server = GRPCServer(
            transport: transport,
            services: [InferenceRPCs(service: service, state: state), HealthRPCs(service: service)],
            interceptors: [
                CallObserver(state: state, metrics: metrics, costs: costs, logger: logger),
                Authentication(keys: keys),
            ])
    }

    /// Roots of clients' certificates are read once: the transport takes new certificates and keys only.
    private static func security(
        _ store: CertificateStore?
    ) throws -> HTTP2ServerTransport.Posix.TransportSecurity {
        guard let store else { return .plaintext }
        return try .tls(certificateReloader: CertificateSource(store: store)) { tls in
            if let roots = store.files.clientRoots {
                tls.trustRoots = .certificates([.file(path: roots, format: .pem)])
            }
            // The transport has no word for certificates that clients may show.
            tls.clientCertificateVerification =
                store.files.clientCertificates == .required ? .noHostnameVerification : .noVerification
        }
    }

    /// Serves until `stop` was called and the running calls ended.
    /// - Parameter onRunning: called once with the port, when connections are accepted.
    package func run(onRunning: @escaping @Sendable (Int) async -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [server] in try await server.serve() }
            if let address = try await server.listeningAddress {
                await onRunning(address.ipv4?.port ?? address.ipv6?.port ?? 0)
            }
            try await group.waitForAll()
        }
    }

    /// Accepts nothing more, lets the running calls end.
    package func stop() { server.beginGracefulShutdown() }
}
