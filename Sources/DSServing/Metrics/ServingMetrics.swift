import DSEngine
import DSObservability
import DSSupport
import HTTPTypes
import Metrics
import Synchronization

/// What the HTTP side counts: requests by swift-metrics' counters and timers, what answers add up to by model. A few short critical
/// sections at a request's end.
package final class ServingMetrics: Sendable {
    /// What requests are told apart by.
    struct Handled: Hashable, Sendable {
        /// The route's pattern, so that the number of series is bounded; `none` for paths without a route.
        let handler: String
        let method: String
        let status: Int

        /// The durations of all statuses go together.
        var route: Handled { Handled(handler: handler, method: method, status: 0) }
    }

    /// What the answers of one model add up to.
    struct ModelTotals: Sendable {
        var answersPerPrompt = Histogram(bounds: MetricBuckets.answers)
        /// The longest answer of each request.
        var longestAnswer = Histogram(bounds: Histogram.decades(upTo: 1_000_000))
        /// By tenant; empty text for requests without a key.
        var costs: [String: Double] = [:]
    }

    /// What calls over gRPC are told apart by.
    private struct RPC: Hashable {
        let method: String
        let code: String
    }

    /// Metrics are looked up here, because to make one costs more.
    private struct State {
        var requests: [Handled: Counter] = [:]
        var durations: [Handled: Timer] = [:]
        var calls: [RPC: Counter] = [:]
        var models: [String: ModelTotals] = [:]
    }

    /// Of the metrics that are made here, for the collector.
    static let descriptions = [
        "http_requests_in_progress": MetricDescription("Requests that are being answered."),
        "http_requests": MetricDescription(
            "Requests answered, by route, method and status; probes and scrapes are not counted."),
        "grpc_requests": MetricDescription("Calls over gRPC answered, by method and code; probes are not counted."),
        "http_request_duration_seconds": MetricDescription(
            "Time from a request's head to the end of its answer in seconds.",
            bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]),
    ]
    /// Probes and scrapes say nothing about load; vLLM does not count them either.
    private static let uncounted: Set<String> = [
        "/metrics", "/health", "/healthz", "/ready", "/readyz", "/livez", "/ping", "/version", "/load", "/server_info",
        "/v2/health/live", "/v2/health/ready",
    ]
    private let factory: any MetricsFactory
    private let active: Meter
    private let state = Mutex(State())

    init(_ factory: any MetricsFactory) {
        self.factory = factory
        active = Meter(label: "http_requests_in_progress", dimensions: [("service", "deepseek")], factory: factory)
    }

    /// A known method's name; anything may be sent.
    static func name(of method: HTTPRequest.Method) -> String {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        return known.contains(method) ? method.rawValue : "other"
    }

    func began() { active.increment() }

    func ended(_ handled: Handled, after duration: Duration, _ record: RequestRecord.State) {
        active.decrement()
        guard !Self.uncounted.contains(handled.handler) else { return }
        let (requests, durations) = state.withLock { state in
            if let model = record.model, !record.answers.isEmpty {
                state.models[model, default: ModelTotals()].add(record)
            }
            return metrics(of: handled, in: &state)
        }
        requests.increment()
        durations.record(duration: duration)
    }

    private func metrics(of handled: Handled, in state: inout State) -> (Counter, Timer) {
        let dimensions = [("service", "deepseek"), ("handler", handled.handler), ("method", handled.method)]
        let requests =
            state.requests[handled]
            ?? Counter(
                label: "http_requests", dimensions: dimensions + [("status", String(handled.status))],
                factory: factory)
        state.requests[handled] = requests
        let durations =
            state.durations[handled.route]
            ?? Timer(label: "http_request_duration_seconds", dimensions: dimensions, factory: factory)
        state.durations[handled.route] = durations
        return (requests, durations)
    }

    /// Answers have ended that do not end with a request over HTTP: those in the background, and those over gRPC.
    package func answered(_ record: RequestRecord.State) {
        guard let model = record.model, !record.answers.isEmpty else { return }
        state.withLock { $0.models[model, default: ModelTotals()].add(record) }
    }

    /// A call over gRPC has ended.
    package func endedRPC(method: String, code: String) {
        let calls = state.withLock { state in
            let key = RPC(method: method, code: code)
            let calls =
                state.calls[key]
                ?? Counter(
                    label: "grpc_requests", dimensions: [("service", "deepseek"), ("method", method), ("code", code)],
                    factory: factory)
            state.calls[key] = calls
            return calls
        }
        calls.increment()
    }

    func totals(of model: String) -> ModelTotals { state.withLock { $0.models[model] } ?? ModelTotals() }
}

extension ServingMetrics.ModelTotals {
    mutating func add(_ record: RequestRecord.State) {
        let count = record.answersPerPrompt
        for first in stride(from: 0, to: record.answers.count, by: max(1, count)) {
            let results = record.answers[first..<min(first + count, record.answers.count)]
                .compactMap { $0.sampling == nil ? nil : $0.result }
                .filter { $0.reason != .cancelled }
            guard let longest = results.map(\.usage.completionTokens).max() else { continue }
            answersPerPrompt.observe(Double(count))
            longestAnswer.observe(Double(longest))
        }
        if let cost = record.cost { costs[record.tenant ?? "", default: 0] += cost }
    }
}
