internal import Synchronization

/// Statistics and the admission count, shared by the loop and the engine's callers.
package final class StatisticsBoard: Sendable {
    private struct State: Sendable {
        var statistics = EngineStatistics()
        /// Requests submitted and not yet in a step.
        var queued = 0
        /// Tokens of their prompts.
        var queuedTokens = 0
        var nextID: UInt64 = 1
    }

    private let state = Mutex(State())
    /// What requests take.
    package let telemetry = TelemetryRecorder()

    package init() {}

    func update(_ body: (inout EngineStatistics) -> Void) { state.withLock { body(&$0.statistics) } }

    package var snapshot: EngineStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.queuedRequests = state.queued
            return statistics
        }
    }

    /// Prompt tokens of the requests that wait for their first step.
    package var queuedTokens: Int { state.withLock { $0.queuedTokens } }

    func leaveQueue(tokens: Int) {
        state.withLock { state in
            state.queued -= 1
            state.queuedTokens -= tokens
        }
    }

    /// Draws the next id and calls `post` with it, in the order of the ids; throws without effect if the queue is full.
    func enter(
        tokens: Int, limit: Int?, tokenLimit: Int?, _ post: (RequestID) throws(EngineError) -> Void
    ) throws(EngineError) {
        let result = state.withLock { state -> Result<Void, EngineError> in
            if let limit, state.queued >= limit {
                telemetry.refused(.requests)
                return .failure(.queueFull(limit: limit))
            }
            // A prompt that is longer than the limit would else never be served.
            if let tokenLimit, state.queued > 0, state.queuedTokens + tokens > tokenLimit {
                telemetry.refused(.tokens)
                return .failure(
                    .queueTokensExceeded(limit: tokenLimit, queued: state.queuedTokens, requested: tokens))
            }
            do throws(EngineError) {
                try post(RequestID(state.nextID))
            } catch {
                return .failure(error)
            }
            state.nextID += 1
            state.queued += 1
            state.queuedTokens += tokens
            state.statistics.submittedRequests += 1
            return .success(())
        }
        try result.get()
    }
}
