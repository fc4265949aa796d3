package import DSEngine

/// Which blocks a store holds, how large they are, and which were used last. A pure value; every operation is amortised O(1).
package struct UseOrder: Sendable {
    private struct Entry: Sendable {
        let byteCount: Int
        var stamp: UInt64
    }

    private var entries: [BlockKey: Entry] = [:]
    /// Uses, oldest first; those that a later use of the same block follows are passed over.
    private var uses: [(key: BlockKey, stamp: UInt64)] = []
    private var firstUse = 0
    private var clock: UInt64 = 0
    package private(set) var usedBytes = 0

    package init() {}

    package var count: Int { entries.count }

    package func contains(_ key: BlockKey) -> Bool { entries[key] != nil }

    /// Adds a block, or replaces what is known of it; it is the one used last.
    package mutating func insert(_ key: BlockKey, byteCount: Int) {
        remove(key)
        entries[key] = Entry(byteCount: byteCount, stamp: 0)
        usedBytes += byteCount
        touch(key)
    }

    /// A block was used. Others are ignored.
    package mutating func touch(_ key: BlockKey) {
        guard entries[key] != nil else { return }
        clock += 1
        entries[key]?.stamp = clock
        uses.append((key, clock))
        guard uses.count - firstUse > 2 * entries.count + 64 else { return }
        uses = uses[firstUse...].filter { entries[$0.key]?.stamp == $0.stamp }
        firstUse = 0
    }

    package mutating func remove(_ key: BlockKey) {
        if let entry = entries.removeValue(forKey: key) { usedBytes -= entry.byteCount }
    }

    /// Removes the block that was not used for the longest time.
    package mutating func removeOldest() -> BlockKey? {
        while firstUse < uses.count {
            let use = uses[firstUse]
            firstUse += 1
            guard entries[use.key]?.stamp == use.stamp else { continue }
            remove(use.key)
            return use.key
        }
        return nil
    }

    package func checkInvariants() throws(InvariantViolation) {
        try InvariantViolation.check(
            usedBytes == entries.values.reduce(0) { $0 + $1.byteCount }, "used bytes are those of the blocks")
        let live = uses[firstUse...].filter { entries[$0.key]?.stamp == $0.stamp }
        try InvariantViolation.check(live.count == entries.count, "every block has one last use")
    }
}
