/// Which waiting requests form the next batch. A pure value: times come from outside, and it holds nothing of the requests
/// but their sizes.
package struct BatchQueue: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package struct Entry: Sendable, Equatable {
        package let id: UInt64
        package let rows: Int
        package let priority: Int
        package let arrival: Instant
        /// When the request has waited too long; `nil` once it was moved behind the others for that.
        package fileprivate(set) var deadline: Instant?
    }

    package enum Decision: Sendable, Equatable {
        /// Compute these now, in this order.
        case batch([Entry])
        /// Ask again then, or when something changes.
        case wait(until: Instant)
        /// Nothing waits.
        case idle
    }

    /// Requests of one priority, oldest first. Those that waited too long and may go on wait in `delayed`.
    private struct Level: Sendable {
        var waiting: [Entry] = []
        var delayed: [Entry] = []
        var count: Int { waiting.count + delayed.count }
    }

    package let policy: BatchingPolicy
    private var levels: [Int: Level] = [:]
    private var nextID: UInt64 = 0

    package init(policy: BatchingPolicy) throws(BatchingError) {
        try policy.validate()
        self.policy = policy
    }

    package var count: Int { levels.values.reduce(0) { $0 + $1.count } }

    /// - Parameters:
    ///   - priority: `nil` or 0: the default.
    ///   - timeout: counts where the policy allows it and it is shorter than the policy's own.
    package mutating func add(
        rows: Int, priority: Int? = nil, timeout: Duration? = nil, now: Instant
    ) throws(BatchingError) -> UInt64 {
        guard rows <= policy.maxBatchSize else { throw .tooLarge(rows: rows, limit: policy.maxBatchSize) }
        let asked = priority ?? 0
        guard asked == 0 || (1...max(1, policy.priorityLevels)).contains(asked) && policy.priorityLevels > 0 else {
            throw .unknownPriority(asked, levels: policy.priorityLevels)
        }
        let level = asked == 0 ? policy.defaultPriority : asked
        let rules = policy.queuePolicy(of: level)
        if let limit = rules.maxQueueSize, levels[level, default: Level()].count >= limit {
            throw .queueFull(limit: limit)
        }
        var allowed = rules.defaultTimeout
        if rules.allowsTimeoutOverride, let timeout, timeout > .zero { allowed = min(allowed ?? timeout, timeout) }
        nextID += 1
        levels[level, default: Level()].waiting.append(
            Entry(id: nextID, rows: rows, priority: level, arrival: now, deadline: allowed.map { now + $0 }))
        return nextID
    }

    /// Forgets a request that waits; false if none of that id does.
    package mutating func remove(_ id: UInt64) -> Bool {
        for level in levels.keys {
            if let index = levels[level]?.waiting.firstIndex(where: { $0.id == id }) {
                levels[level]?.waiting.remove(at: index)
                return true
            }
            if let index = levels[level]?.delayed.firstIndex(where: { $0.id == id }) {
                levels[level]?.delayed.remove(at: index)
                return true
            }
        }
        return false
    }

    /// Takes out the requests that waited too long and are to fail; moves those that may go on behind the others.
    package mutating func expire(now: Instant) -> [Entry] {
        var rejected: [Entry] = []
        for level in levels.keys.sorted() {
            let late = levels[level]?.waiting.filter { $0.deadline.map { $0 <= now } ?? false } ?? []
            guard !late.isEmpty else { continue }
            levels[level]?.waiting.removeAll { $0.deadline.map { $0 <= now } ?? false }
            switch policy.queuePolicy(of: level).timeoutAction {
            case .reject: rejected += late
            case .delay:
                levels[level]?.delayed += late.map { entry in
                    var entry = entry
                    entry.deadline = nil
                    return entry
                }
            }
        }
        return rejected
    }

    /// The next batch, which leaves the queue. Call `expire` before.
    package mutating func next(now: Instant) -> Decision {
        let order = order
        guard let first = order.first else { return .idle }
        var rows = 0
        var taken = 0
        var preferred: Int?
        for entry in order {
            guard rows + entry.rows <= policy.maxBatchSize else { break }
            rows += entry.rows
            taken += 1
            if policy.preferredBatchSizes.contains(rows) { preferred = taken }
        }
        let isFull = taken < order.count || rows == policy.maxBatchSize
        // The oldest request may stand behind a more urgent one.
        let oldest = order.reduce(first.arrival) { min($0, $1.arrival) }
        let release = oldest + policy.maxQueueDelay
        if let preferred {
            return take(order.prefix(preferred))
        } else if isFull || now >= release {
            return take(order.prefix(taken))
        }
        let deadlines = order.compactMap(\.deadline)
        return .wait(until: deadlines.reduce(release) { min($0, $1) })
    }

    /// The first moment at which a waiting request will have waited too long.
    package var firstDeadline: Instant? { order.compactMap(\.deadline).min() }

    /// Most urgent first, then those that were not late, then by age.
    private var order: [Entry] {
        levels.keys.sorted().flatMap { level in (levels[level]?.waiting ?? []) + (levels[level]?.delayed ?? []) }
    }

    private mutating func take(_ entries: some Sequence<Entry>) -> Decision {
        let batch = Array(entries)
        for entry in batch { _ = remove(entry.id) }
        return .batch(batch)
    }

    /// What must hold after every operation; returns what does not.
    package func brokenInvariant() -> String? {
        for (level, entries) in levels {
            for entry in entries.waiting + entries.delayed {
                guard entry.priority == level else {
                    return "entry \(entry.id) of \(entry.priority) stands in \(level)"
                }
                guard entry.rows <= policy.maxBatchSize else { return "entry \(entry.id) can never be computed" }
            }
            for list in [entries.waiting, entries.delayed]
            where zip(list, list.dropFirst()).contains(where: { $0.arrival > $1.arrival && $0.deadline != nil }) {
                return "priority \(level) is out of order"
            }
            if let limit = policy.queuePolicy(of: level).maxQueueSize, entries.count > limit {
                return "priority \(level) holds \(entries.count) of \(limit)"
            }
        }
        let ids = order.map(\.id)
        return Set(ids).count == ids.count ? nil : "an id occurs twice"
    }
}
