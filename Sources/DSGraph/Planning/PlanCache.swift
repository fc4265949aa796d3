/// Plans by graph structure and bucket. A hit builds nothing; beyond `capacity` the plan that was used longest ago goes.
package struct PlanCache {
    private struct Key: Hashable {
        let structure: Int
        let bucket: DimBucket
    }

    /// A reference, so that a hit writes nothing but a number.
    private final class Entry {
        let plan: Plan
        var lastUse: Int

        init(plan: Plan, lastUse: Int) {
            self.plan = plan
            self.lastUse = lastUse
        }
    }

    package let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var clock = 0
    package private(set) var hits = 0
    package private(set) var misses = 0

    package init(capacity: Int = 64) {
        precondition(capacity > 0, "a cache of \(capacity) plans")
        self.capacity = capacity
    }

    package var count: Int { entries.count }

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    package mutating func plan(
        structure: Int, bucket: DimBucket, build: () throws(GraphError) -> Plan
    ) throws(GraphError) -> Plan {
        let key = Key(structure: structure, bucket: bucket)
        clock += 1
        if let known = entries[key] {
            hits += 1
            known.lastUse = clock
            return known.plan
        }
        misses += 1
        let plan = try build()
        if entries.count >= capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
        }
        entries[key] = Entry(plan: plan, lastUse: clock)
        return plan
    }
}
