package import HTTPTypes
import Synchronization

/// Who sends requests with one key, and what it has used of its limits. It outlives reloads of the keys while its limits
/// stay.
package final class Tenant: Sendable {
    package let name: String
    package let limits: APIKey.Limits

    private struct State {
        var requests: RateBudget?
        var tokens: RateBudget?
        var active = 0
    }

    private let state: Mutex<State>

    package init(name: String, limits: APIKey.Limits, now: ContinuousClock.Instant = .now) {
        self.name = name
        self.limits = limits
        state = Mutex(
            State(
                requests: limits.requestsPerMinute.map { RateBudget(perMinute: $0, now: now) },
                tokens: limits.tokensPerMinute.map { RateBudget(perMinute: $0, now: now) }))
    }

    /// Requests of this key that are being answered.
    package var activeRequests: Int { state.withLock { $0.active } }

    /// Counts a request.
    /// - Throws: the 429 that says which limit it is beyond, and when to come again.
    package func enter(now: ContinuousClock.Instant = .now) throws(APIError) {
        let refusal = state.withLock { state -> APIError? in
            if let limit = limits.concurrentRequests, state.active >= limit {
                return .rateLimited("'\(name)' has \(limit) requests running, which is its limit", retryAfter: 1)
            }
            if let wait = Self.wait(&state.requests, now) {
                return .rateLimited(
                    "'\(name)' may send \(limits.requestsPerMinute ?? 0) requests per minute", retryAfter: wait)
            }
            if let wait = Self.wait(&state.tokens, now) {
                return .rateLimited(
                    "'\(name)' may use \(limits.tokensPerMinute ?? 0) tokens per minute", retryAfter: wait)
            }
            state.requests?.take(1, now: now)
            state.active += 1
            return nil
        }
        guard var refusal else { return }
        refusal.headers = headers(now: now)
        throw refusal
    }

    /// Counts work that goes on after a request that was counted.
    func join() { state.withLock { $0.active += 1 } }

    package func leave() { state.withLock { $0.active -= 1 } }

    /// Charges tokens of an answer, prompt and output.
    package func charge(tokens: Int, now: ContinuousClock.Instant = .now) {
        state.withLock { $0.tokens?.take(tokens, now: now) }
    }

    private static func wait(_ budget: inout RateBudget?, _ now: ContinuousClock.Instant) -> Int? {
        guard var current = budget else { return nil }
        defer { budget = current }
        return current.isOpen(now: now) ? nil : Int(current.secondsUntilOpen(now: now).rounded(.up))
    }

    /// What is left, as OpenAI's clients know it.
    package func headers(now: ContinuousClock.Instant = .now) -> HTTPFields {
        state.withLock { state in
            var fields = HTTPFields()
            Self.describe(&state.requests, "requests", now, into: &fields)
            Self.describe(&state.tokens, "tokens", now, into: &fields)
            return fields
        }
    }

    private static func describe(
        _ budget: inout RateBudget?, _ unit: String, _ now: ContinuousClock.Instant, into fields: inout HTTPFields
    ) {
        guard var current = budget else { return }
        defer { budget = current }
        let reset = current.secondsUntilFull(now: now)
        let values = [
            ("limit", String(current.perMinute)), ("remaining", String(current.remaining(now: now))),
            ("reset", "\(Int((reset * 1000).rounded(.up)))ms"),
        ]
        for (kind, value) in values {
            guard let name = HTTPField.Name("x-ratelimit-\(kind)-\(unit)") else { continue }
            fields[name] = value
        }
    }
}
