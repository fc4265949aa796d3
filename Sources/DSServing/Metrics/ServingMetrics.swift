import DSEngine
import DSObservability
import DSSupport
import HTTPTypes
import Synchronization

/// What the HTTP side counts. One short critical section at a request's beginning and one at its end.
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

    private struct RPC: Hashable {
        let method: String
        let code: String
    }

    private struct State {
        var rpcs: [RPC: Int] = [:]
        var requests: [Handled: Int] = [:]
        var durations: [Handled: Histogram] = [:]
        var active = 0
        var models: [String: ModelTotals] = [:]
    }

    static let durationBounds: [Double] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ]
    /// Probes and scrapes say nothing about load; vLLM does not count them either.
    private static let uncounted: Set<String> = [
        "/metrics", "/health", "/healthz", "/ready", "/readyz", "/livez", "/ping", "/version", "/load", "/server_info",
        "/v2/health/live", "/v2/health/ready",
    ]
    private let state = Mutex(State())

    package init() {}

    /// A known method's name; anything may be sent.
    static func name(of method: HTTPRequest.Method) -> String {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        return known.contains(method) ? method.rawValue : "other"
    }

    func began() { state.withLock { $0.active += 1 } }

    func ended(_ handled: Handled, seconds: Double, _ record: RequestRecord.State) {
        state.withLock { state in
            state.active -= 1
            guard !Self.uncounted.contains(handled.handler) else { return }
            state.requests[handled, default: 0] += 1
            state.durations[handled.route, default: Histogram(bounds: Self.durationBounds)].observe(seconds)
            guard let model = record.model, !record.answers.isEmpty else { return }
            state.models[model, default: ModelTotals()].add(record)
        }
    }

    /// Answers that went on after their request have ended.
    func endedInBackground(_ record: RequestRecord.State) {
        guard let model = record.model else { return }
        state.withLock { $0.models[model, default: ModelTotals()].add(record) }
    }

    /// A call over gRPC has ended.
    package func endedRPC(method: String, code: String) {
        state.withLock { $0.rpcs[RPC(method: method, code: code), default: 0] += 1 }
    }

    func add(to page: inout MetricPage) {
        let state = state.withLock { $0 }
        page.gauge(
            "http_requests_in_progress", "Requests that are being answered.", ["service": "deepseek"], state.active)
        for (handled, count) in state.requests.sorted(by: { Self.precedes($0.key, $1.key) }) {
            page.counter(
                "http_requests", "Requests answered, by route, method and status; probes and scrapes are not counted.",
                [
                    "service": "deepseek", "handler": handled.handler, "method": handled.method,
                    "status": String(handled.status),
                ], count)
        }
        for (rpc, count) in state.rpcs.sorted(by: { ($0.key.method, $0.key.code) < ($1.key.method, $1.key.code) }) {
            page.counter(
                "grpc_requests", "Calls over gRPC answered, by method and code; probes are not counted.",
                ["service": "deepseek", "method": rpc.method, "code": rpc.code], count)
        }
        for (handled, durations) in state.durations.sorted(by: { Self.precedes($0.key, $1.key) }) {
            page.histogram(
                "http_request_duration_seconds", "Time from a request's head to the end of its answer in seconds.",
                ["service": "deepseek", "handler": handled.handler, "method": handled.method], durations)
        }
    }

    func totals(of model: String) -> ModelTotals { state.withLock { $0.models[model] } ?? ModelTotals() }

    private static func precedes(_ left: Handled, _ right: Handled) -> Bool {
        (left.handler, left.method, left.status) < (right.handler, right.method, right.status)
    }
}

extension ServingMetrics.ModelTotals {
    mutating func add(_ record: RequestRecord.State) {
        let count = record.answersPerPrompt
        for first in stride(from: 0, to: record.answers.count, by: max(1, count)) {
            let results = record.answers[first..<min(first + count, record.answers.count)].compactMap(\.result)
            guard let longest = results.map(\.usage.completionTokens).max() else { continue }
            answersPerPrompt.observe(Double(count))
            longestAnswer.observe(Double(longest))
        }
        if let cost = record.cost { costs[record.tenant ?? "", default: 0] += cost }
    }
}
