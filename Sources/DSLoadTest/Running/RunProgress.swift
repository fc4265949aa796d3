import Synchronization

/// What a run has done so far, for whoever watches it, and its results.
package final class RunProgress: Sendable {
    private struct State {
        var started = 0
        var records: [RequestRecord] = []
        var failed = 0
        var outputTokens = 0
        var isStopped = false
    }

    /// A moment's numbers.
    package struct Snapshot: Sendable {
        package let started: Int
        package let done: Int
        package let failed: Int
        package let outputTokens: Int
    }

    private let state = Mutex(State())

    package init() {}

    /// Starts no more requests; those under way go on.
    package func stop() { state.withLock { $0.isStopped = true } }

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    package var snapshot: Snapshot {
        state.withLock {
            Snapshot(started: $0.started, done: $0.records.count, failed: $0.failed, outputTokens: $0.outputTokens)
        }
    }

    /// The results so far, in order of the requests' numbers.
    package var records: [RequestRecord] { state.withLock { $0.records }.sorted { $0.index < $1.index } }

    /// The number of the next request, counted from 0; nil if none may start any more.
    func take(limit: RunLimit, at time: Double) -> Int? {
        state.withLock { state in
            guard !state.isStopped, limit.allows(request: state.started, at: time) else { return nil }
            state.started += 1
            return state.started - 1
        }
    }

    func add(_ record: RequestRecord) {
        state.withLock { state in
            state.records.append(record)
            if record.failure != nil { state.failed += 1 }
            state.outputTokens += record.outputTokens ?? 0
        }
    }
}
