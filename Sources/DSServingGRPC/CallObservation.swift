import DSServing
import GRPCCore
import Logging
import Synchronization

/// A call that is being answered. Its end is counted and logged once; one that is dropped has ended, too.
final class CallObservation: Sendable {
    let record: CallRecord
    private let method: MethodDescriptor
    private let kind: CallKind
    private let peer: String
    private let name: String?
    private let state: ServerState
    private let metrics: ServingMetrics
    private let logger: Logger
    private let started = ContinuousClock.now
    private let hasEnded = Atomic(false)

    /// - Throws: an error if the server takes no more calls of this kind.
    init(
        _ context: ServerContext, _ metadata: Metadata, state: ServerState, metrics: ServingMetrics,
        costs: CostModel?, logger: Logger
    ) throws(RPCError) {
        let method = context.descriptor
        self.method = method
        kind = CallKind(context.descriptor)
        peer = context.remotePeer
        let name = metadata[stringValues: "x-request-id"].first { _ in true }
        self.name = name
        // Not this observation, which ends when nobody refers to it.
        record = CallRecord(costs) { request in
            CallObservation.report(request, of: method, name: name, to: metrics, logger)
        }
        self.state = state
        self.metrics = metrics
        self.logger = logger
        let isTaken =
            switch kind {
            case .probe, .question: true
            case .stream: state.phase < .draining
            case .work, .administration: state.enter()
            }
        guard isTaken else {
            hasEnded.store(true, ordering: .relaxed)
            report(.unavailable)
            throw RPCFailure.stopping
        }
    }

    deinit { end(.cancelled) }

    func end(_ code: Status.Code) {
        guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        report(code)
        if kind.isWork { state.leave() }
    }

    func end(failed error: any Error) { end(Status.Code(RPCFailure.translate(error).code)) }

    private func report(_ code: Status.Code) {
        guard kind != .probe else { return }
        let text = StatusName.text(code)
        metrics.endedRPC(method: method.method, code: text)
        let answers = record.request.state
        metrics.answered(answers)
        var metadata = Self.metadata(of: method, name: name, answers)
        metadata["code"] = "\(text)"
        metadata["request_time"] = .stringConvertible(
            ((ContinuousClock.now - started) / .microseconds(1)).rounded() / 1e6)
        if let address = Self.address(peer) { metadata["client"] = "\(address)" }
        if let model = record.state.model { metadata["model"] = "\(model)" }
        logger.log(
            level: StatusName.isServersFault(code) ? .error : .info, "gRPC \(method.method) \(text)",
            metadata: metadata)
    }

    /// One of the requests of a stream was answered. Streams may be open for days, so each has its own line.
    private static func report(
        _ request: RequestRecord.State, of method: MethodDescriptor, name: String?, to metrics: ServingMetrics,
        _ logger: Logger
    ) {
        guard !request.answers.isEmpty else { return }
        metrics.answered(request)
        logger.info("gRPC \(method.method) request", metadata: metadata(of: method, name: name, request))
    }

    private static func metadata(
        of method: MethodDescriptor, name: String?, _ request: RequestRecord.State
    ) -> Logger.Metadata {
        var metadata = AccessLog.answers(of: request)
        metadata["method"] = "\(method.method)"
        metadata["path"] = "/\(method.fullyQualifiedMethod)"
        if let name, RequestNames.isUsable(name) { metadata["request_id"] = "\(name)" }
        return metadata
    }

    /// Of `ipv4:ADDRESS:PORT` or `ipv6:[ADDRESS]:PORT`.
    private static func address(_ peer: String) -> Substring? {
        guard let kind = peer.firstIndex(of: ":"), let port = peer.lastIndex(of: ":"), kind < port,
            peer.hasPrefix("ipv")
        else { return nil }
        let address = peer[peer.index(after: kind)..<port]
        return address.hasPrefix("[") ? address.dropFirst().dropLast() : address
    }
}
