internal import Synchronization

/// A block store in memory: what others are compared with, and what tests look into. Its loads end before they return.
package final class MemoryBlockStore: BlockStore {
    package let name = "memory"

    private struct State: Sendable {
        var blocks: [BlockKey: [UInt8]] = [:]
        /// Oldest use first.
        var order: [BlockKey] = []
        var statistics = BlockStoreStatistics(name: "memory")
        var isClosed = false
    }

    private let byteLimit: Int
    private let state = Mutex(State())

    package init(byteLimit: Int) { self.byteLimit = byteLimit }

    package func load(_ key: BlockKey, completion: @escaping @Sendable (BlockLoad) -> Void) {
        let found = state.withLock { state -> BlockLoad in
            guard !state.isClosed else { return .failed("the store is closed") }
            state.statistics.queries += 1
            guard let bytes = state.blocks[key] else { return .missing }
            state.order.removeAll { $0 == key }
            state.order.append(key)
            state.statistics.hits += 1
            state.statistics.readBytes += bytes.count
            return .found(bytes)
        }
        completion(found)
    }

    package func store(_ key: BlockKey, _ bytes: [UInt8]) {
        state.withLock { state in
            guard !state.isClosed, state.blocks[key] == nil, bytes.count <= byteLimit else {
                state.statistics.dropped += 1
                return
            }
            while state.statistics.usedBytes + bytes.count > byteLimit, let oldest = state.order.first {
                state.order.removeFirst()
                state.statistics.usedBytes -= state.blocks.removeValue(forKey: oldest)?.count ?? 0
                state.statistics.evictions += 1
            }
            state.blocks[key] = bytes
            state.order.append(key)
            state.statistics.stored += 1
            state.statistics.writtenBytes += bytes.count
            state.statistics.usedBytes += bytes.count
        }
    }

    package func close(within limit: Duration) { state.withLock { $0.isClosed = true } }

    package var statistics: [BlockStoreStatistics] {
        state.withLock { state in
            var statistics = state.statistics
            statistics.blocks = state.blocks.count
            statistics.byteLimit = byteLimit
            return [statistics]
        }
    }

    /// Everything it holds, for tests.
    package var keys: [BlockKey] { state.withLock { Array($0.blocks.keys) } }
    package func bytes(of key: BlockKey) -> [UInt8]? { state.withLock { $0.blocks[key] } }

    /// Another store with the same blocks, open.
    package func copy() -> MemoryBlockStore {
        let copy = MemoryBlockStore(byteLimit: byteLimit)
        for key in state.withLock({ $0.order }) {
            if let bytes = bytes(of: key) { copy.store(key, bytes) }
        }
        return copy
    }
}
