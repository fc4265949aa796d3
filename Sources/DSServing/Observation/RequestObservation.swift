import DSObservability
import Hummingbird
import Logging
import NIOCore

/// A request that is being answered.
struct RequestObservation {
    let id: String
    let request: Request
    let spans: RequestSpans?
    let record: RequestRecord
    private let observability: Observability
    private let logger: Logger
    private let client: String?
    private let route: String?
    private let started = ContinuousClock.now

    init(
        id: String, request: Request, context: ServingContext, spans: RequestSpans?, observability: Observability,
        logger: Logger
    ) {
        self.id = id
        self.request = request
        self.spans = spans
        self.observability = observability
        self.logger = logger
        record = context.record
        client = context.channel.remoteAddress?.ipAddress
        route = context.endpointPath
    }

    /// Must be called when the answer was written or given up; the first call counts.
    /// - Parameter isWritten: false if its client did not get all of it.
    func end(status: Int, isWritten: Bool = true) {
        guard record.endsNow() else { return }
        if !isWritten { record.update { $0.error = $0.error ?? "disconnected" } }
        let state = record.state
        let duration = started.duration(to: .now)
        observability.metrics.ended(
            ServingMetrics.Handled(
                handler: route ?? "none", method: ServingMetrics.name(of: request.method), status: status),
            after: duration, state)
        spans?.end(request, route: route, status: status, client: client, state)
        guard !observability.unloggedPaths.contains(request.uri.path) else { return }
        AccessLog(
            request: request, status: status, seconds: duration / .seconds(1), client: client, state: state
        ).write(to: logger)
    }
}
