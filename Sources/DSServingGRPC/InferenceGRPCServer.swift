package import DSServing
import GRPCCore
import GRPCNIOTransportHTTP2

/// The V2 protocol on a port of its own.
package final class InferenceGRPCServer: Sendable {
    private let server: GRPCServer<HTTP2ServerTransport.Posix>

    /// - Parameters:
    ///   - host: a numeric address, or `localhost`.
    ///   - port: 0 takes a free one.
    ///   - maximumRequestBytes: of one message.
    ///   - keys: as for HTTP; without keys everybody may call.
    ///   - certificates: read once; `nil`: no TLS.
    package init(
        service: InferenceService, host: String, port: Int, maximumRequestBytes: Int, keys: KeyStore,
        certificates: CertificateStore.Files?
    ) {
        let name = host == "localhost" ? "127.0.0.1" : host
        let transport = HTTP2ServerTransport.Posix(
            address: name.contains(":") ? .ipv6(host: name, port: port) : .ipv4(host: name, port: port),
            transportSecurity: Self.security(certificates),
            config: .defaults { config in config.rpc.maxRequestPayloadSize = maximumRequestBytes })
        server = GRPCServer(
            transport: transport, services: [InferenceRPCs(service: service), HealthRPCs(service: service)],
            interceptors: [Authentication(keys: keys)])
    }

    private static func security(
        _ files: CertificateStore.Files?
    ) -> HTTP2ServerTransport.Posix.TransportSecurity {
        guard let files else { return .plaintext }
        return .tls(
            certificateChain: [.file(path: files.certificates, format: .pem)],
            privateKey: .file(path: files.key, format: .pem)
        ) { tls in
            if let roots = files.clientRoots { tls.trustRoots = .certificates([.file(path: roots, format: .pem)]) }
            tls.clientCertificateVerification =
                files.clientCertificates == .required ? .noHostnameVerification : .noVerification
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
