import DSEngine
import DSServing
import DSServingGRPC
import Dispatch
import Foundation
import Logging
import Synchronization

/// A server from its first connection to its last.
struct ServerRun {
    private static let refreshSeconds = 2.0

    private let settings: ServerSettings
    private let catalog: ModelCatalog
    private let state = ServerState()
    private let keys: KeyStore
    private let certificates: CertificateStore?

    /// Reads keys and certificates.
    init(_ settings: ServerSettings) throws {
        self.settings = settings
        catalog = ModelCatalog(names: settings.models.names)
        keys = KeyStore(try settings.keys.read())
        certificates = try settings.certificates.map { files throws(CertificateError) in try CertificateStore(files) }
    }

    func run() async throws {
        let (stopping, stop) = AsyncStream<Never>.makeStream()
        let sequence = StopSequence(settings, catalog, state) { stop.finish() }
        let loading = try ModelLoading(settings: settings, catalog: catalog, state: state)
        let reloading = Reloading(
            settings, keys: keys, certificates: certificates, repository: loading.repository)
        let signals = watchSignals(sequence, reloading)
        defer { signals.cancel() }
        let refresh = refreshTimer(sequence.queue, reloading)
        defer { refresh?.cancel() }
        let failure = Mutex<ServerFailure?>(nil)
        let failed: @Sendable (ServerFailure) -> Void = { reason in
            failure.withLock { $0 = reason }
            stop.finish()
        }
        let service = InferenceService(
            repository: loading.repository, sharing: settings.server.prefixCacheSharing, state: state)
        let grpc = try await listener(service)
        let loads = Mutex<Task<Void, Never>?>(nil)
        defer { loads.withLock { $0?.cancel() } }
        let address = settings.server.address
        let log = settings.logger
        let scheme = certificates == nil ? "http" : "https"
        do {
            try await server(service, sequence, reloading).run(until: stopping) { port in
                switch address {
                case .tcp(let host, _): log.notice("listening on \(scheme)://\(Self.inURL(host)):\(port)")
                case .socket(let path): log.notice("listening on \(path)")
                }
                let task = loading.start(onFailure: failed)
                loads.withLock { $0 = task }
            }
        } catch {
            throw ServerFailure(
                description: "server on \(Self.text(address)): expected to listen and serve, found: \(error)")
        }
        await grpc?.stop()
        for model in catalog.models { await model.generator.engine.shutdown() }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// gRPC, if it was asked for; its port is taken when this returns.
    private func listener(_ service: InferenceService) async throws -> GRPCListener? {
        guard let port = settings.repository.grpcPort else { return nil }
        let host: String
        switch settings.server.address {
        case .tcp(let name, _): host = name
        case .socket: host = "127.0.0.1"
        }
        do {
            let listener = try await GRPCListener.start(
                InferenceGRPCServer(
                    service: service,
                    configuration: .init(
                        host: host, port: port, maximumRequestBytes: settings.server.maximumBodyBytes),
                    state: state, keys: keys, certificates: certificates,
                    metrics: settings.server.observability.metrics, costs: settings.server.observability.costs,
                    logger: settings.logger))
            settings.logger.notice("listening on grpc://\(Self.inURL(host)):\(listener.port)")
            return listener
        } catch {
            throw ServerFailure(description: "gRPC on \(host):\(port): expected to listen, found: \(error)")
        }
    }

    private func server(
        _ service: InferenceService, _ sequence: StopSequence, _ reloading: Reloading
    ) -> DeepSeekServer {
        DeepSeekServer(
            catalog: catalog, inference: service, configuration: settings.server, state: state, keys: keys,
            certificates: certificates,
            administration: Administration(
                reload: { await reloading.reload() }, drain: { sequence.queue.async { sequence.requested() } }),
            logger: settings.logger)
    }

    private func watchSignals(_ sequence: StopSequence, _ reloading: Reloading) -> SignalWatch {
        let stop: @Sendable () -> Void = { sequence.requested() }
        let reload: @Sendable () -> Void = { Task { await reloading.reload() } }
        return SignalWatch(on: sequence.queue, [(SIGTERM, stop), (SIGINT, stop), (SIGHUP, reload)])
    }

    private func refreshTimer(_ queue: DispatchQueue, _ reloading: Reloading) -> (any DispatchSourceTimer)? {
        guard settings.refreshesCertificates else { return nil }
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + Self.refreshSeconds, repeating: Self.refreshSeconds)
        timer.setEventHandler { reloading.refreshCertificates() }
        timer.resume()
        return timer
    }

    /// IPv6 addresses stand in brackets.
    private static func inURL(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    private static func text(_ address: DeepSeekServer.Configuration.Address) -> String {
        switch address {
        case .tcp(let host, let port): "\(host):\(port)"
        case .socket(let path): path
        }
    }
}
