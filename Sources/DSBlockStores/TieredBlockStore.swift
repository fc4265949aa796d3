package import DSEngine

/// Several stores, fastest first: looks in one after the other, and copies upwards what it finds below.
package final class TieredBlockStore: BlockStore {
    private let tiers: [any BlockStore]

    package init(_ tiers: [any BlockStore]) { self.tiers = tiers }

    package var name: String { tiers.map(\.name).joined(separator: "+") }

    package func load(_ key: BlockKey, completion: @escaping @Sendable (BlockLoad) -> Void) {
        load(key, from: 0, missed: .missing, completion)
    }

    /// - Parameter missed: how the load ends if no tier from `index` on has the block.
    private func load(
        _ key: BlockKey, from index: Int, missed: BlockLoad, _ completion: @escaping @Sendable (BlockLoad) -> Void
    ) {
        guard index < tiers.count else { return completion(missed) }
        tiers[index].load(key) { [self] result in
            switch result {
            case .found(let bytes):
                for tier in tiers[..<index] { tier.store(key, bytes) }
                completion(result)
            case .missing: load(key, from: index + 1, missed: missed, completion)
            case .failed: load(key, from: index + 1, missed: result, completion)
            }
        }
    }

    package func store(_ key: BlockKey, _ bytes: [UInt8]) {
        for tier in tiers { tier.store(key, bytes) }
    }

    package func close(within limit: Duration) {
        let deadline = ContinuousClock.now + limit
        for tier in tiers { tier.close(within: max(.zero, ContinuousClock.now.duration(to: deadline))) }
    }

    package var statistics: [BlockStoreStatistics] { tiers.flatMap(\.statistics) }
}
