import Synchronization

/// Whether the server takes requests, and how many it is answering.
package final class ServerState: Sendable {
    package enum Phase: Sendable, Equatable, Comparable {
        /// The first models load.
        case starting
        case serving
        /// Told to stop: not ready, but requests are still taken, so that load balancers have time to notice.
        case leaving
        /// Answers what it took, takes nothing new.
        case draining
    }

    private struct State {
        var phase = Phase.starting
        var activeRequests = 0
        var onIdle: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init(_ phase: Phase = .starting) { advance(to: phase) }

    package var phase: Phase { state.withLock { $0.phase } }

    /// Requests that are being answered: from their head's arrival to the last byte of their answer.
    package var activeRequests: Int { state.withLock { $0.activeRequests } }

    /// Phases only follow each other; an earlier one is ignored.
    package func advance(to phase: Phase) { state.withLock { $0.phase = max($0.phase, phase) } }

    /// Counts a request; false without effect if the server takes none.
    package func enter() -> Bool {
        state.withLock { state in
            guard state.phase < .draining else { return false }
            state.activeRequests += 1
            return true
        }
    }

    /// Counts work that goes on after the request that began it, which is still counted itself: a drain waits for both.
    func join() { state.withLock { $0.activeRequests += 1 } }

    package func leave() {
        let actions = state.withLock { state -> [@Sendable () -> Void] in
            state.activeRequests -= 1
            guard state.activeRequests == 0, state.phase == .draining else { return [] }
            defer { state.onIdle = [] }
            return state.onIdle
        }
        for action in actions { action() }
    }

    /// Takes no more requests, and calls `action` when those that were taken are answered.
    package func drain(whenIdle action: @escaping @Sendable () -> Void) {
        let isIdle = state.withLock { state in
            state.phase = .draining
            if state.activeRequests > 0 { state.onIdle.append(action) }
            return state.activeRequests == 0
        }
        if isIdle { action() }
    }
}
