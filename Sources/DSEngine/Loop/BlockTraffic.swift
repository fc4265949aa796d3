/// Moves blocks between the cache and the store below it, for the loop's thread: it asks for the blocks of a request that waits, and
/// hands over blocks that were computed.
///
/// A block goes to the store when it became known, not when the cache gives it up: so it is there after a crash and for other
/// processes at once, and the moment of want has no copies of its own. Prompts become known as they are computed, answers, where they
/// are kept, when they end.
///
/// In the store, a byte stands before a block's rows: whether the drafter's are among them.
final class BlockTraffic {
    private let store: any BlockStore
    private let runner: any ModelRunner
    private let blockBytes: Int
    private let mailbox: Mailbox
    private let board: StatisticsBoard
    /// By request: what is still to come.
    private var fetches: [RequestID: Fetch] = [:]
    /// Requests whose blocks are asked for after those, oldest first.
    private var waiting: [RequestID] = []

    private struct Fetch {
        /// The first key is the one whose place is next.
        var keys: ArraySlice<BlockKey>
        /// The key before it; nil: there is none.
        var parent: BlockKey?
        /// The next key to ask for.
        var asked: Int
        /// What came before its turn.
        var arrived: [BlockKey: BlockLoad] = [:]
    }

    /// Blocks that one request waits for at a time, and requests that do: their bytes are beside the cache.
    private static let window = 8
    private static let maximumFetches = 8
    /// How long the store may finish what it took, when the engine ends.
    private static let closingTime = Duration.seconds(5)

    init(
        _ store: any BlockStore, _ runner: any ModelRunner, blockBytes: Int, _ mailbox: Mailbox,
        _ board: StatisticsBoard
    ) {
        self.store = store
        self.runner = runner
        self.blockBytes = blockBytes
        self.mailbox = mailbox
        self.board = board
    }

    /// Asks for the blocks of a request that are not in the cache; it does not start before they came, or are known not to.
    func fetch(_ id: RequestID, _ scheduler: inout Scheduler) {
        let missing = scheduler.missingKeys(of: id)
        scheduler.setFetching(id, !missing.keys.isEmpty)
        guard !missing.keys.isEmpty else { return }
        guard fetches.count < Self.maximumFetches else {
            waiting.append(id)
            return
        }
        fetches[id] = Fetch(keys: missing.keys, parent: missing.parent, asked: missing.keys.startIndex)
        ask(id)
    }

    private func ask(_ id: RequestID) {
        while let fetch = fetches[id], fetch.asked < min(fetch.keys.endIndex, fetch.keys.startIndex + Self.window) {
            let key = fetch.keys[fetch.asked]
            fetches[id]?.asked += 1
            board.update { $0.blockLoads += 1 }
            store.load(key) { [mailbox] load in mailbox.post(.loaded(id, key, load)) }
        }
    }

    /// Takes what came, in the order of the prompt: a block is of no use without those before it.
    func receive(_ id: RequestID, _ key: BlockKey, _ load: BlockLoad, _ scheduler: inout Scheduler) {
        guard fetches[id] != nil else { return }
        guard scheduler.slot(of: id) != nil else {
            finish(id, &scheduler)
            return
        }
        fetches[id]?.arrived[key] = load
        while let next = fetches[id]?.keys.first, let load = fetches[id]?.arrived.removeValue(forKey: next) {
            guard take(next, after: fetches[id]?.parent, load, &scheduler) else {
                finish(id, &scheduler)
                return
            }
            fetches[id]?.keys.removeFirst()
            fetches[id]?.parent = next
        }
        if fetches[id]?.keys.isEmpty ?? true { finish(id, &scheduler) } else { ask(id) }
    }

    private func finish(_ id: RequestID, _ scheduler: inout Scheduler) {
        fetches[id] = nil
        scheduler.setFetching(id, false)
        // What came meanwhile for others may be all that the next ones need.
        while fetches.count < Self.maximumFetches, !waiting.isEmpty { fetch(waiting.removeFirst(), &scheduler) }
    }

    /// Puts a block into the cache; false if the ones after it are not worth waiting for.
    private func take(
        _ key: BlockKey, after parent: BlockKey?, _ load: BlockLoad, _ scheduler: inout Scheduler
    ) -> Bool {
        guard case .found(let bytes) = load, bytes.count == 1 + blockBytes else {
            if load != .missing { board.update { $0.blockLoadFailures += 1 } }
            return false
        }
        board.update { $0.blockLoadHits += 1 }
        if scheduler.isKnown(key) { return true }
        guard let block = scheduler.place(key, after: parent, isFollowed: bytes[0] == 1) else { return false }
        bytes.withUnsafeBytes { runner.importBlock(block, from: UnsafeRawBufferPointer(rebasing: $0[1...])) }
        return true
    }

    /// Hands over the new blocks.
    /// - Parameter hasDrafter: whether the drafter's rows are what the scheduler says.
    func handOver(_ scheduler: borrowing Scheduler, hasDrafter: Bool) {
        for known in scheduler.newBlocks where scheduler.knownBlock(known.key) == known.block {
            let isFollowed = hasDrafter && scheduler.isFollowed(known.block)
            let bytes = [UInt8](unsafeUninitializedCapacity: 1 + blockBytes) { buffer, count in
                buffer[0] = isFollowed ? 1 : 0
                let rows = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[1...]))
                runner.exportBlock(known.block, into: rows)
                count = 1 + blockBytes
            }
            store.store(known.key, bytes)
        }
        let count = scheduler.newBlocks.count
        if count > 0 { board.update { $0.blockStores += count } }
    }

    func close() { store.close(within: Self.closingTime) }
}
