/// A place below memory that keeps blocks of the key/value cache: a disk, an object store, or several of them one after the
/// other.
///
/// Blocks are content-addressed. A key covers the model, the tenant, the tokens and the form in which they were computed
/// (`BlockHasher`), so what a key stands for never changes, a store needs no versions, and stores may be shared by
/// processes and machines. The bytes are opaque, all of one length per model, and mean nothing to another build or model: their
/// keys differ.
///
/// What an implementation promises:
/// - **Nothing blocks.** `load` and `store` are called by the thread that computes, between two steps. They hand their work to
///   a thread or task of the store and return at once; neither may wait for I/O, or for a lock that is held during I/O.
/// - **Every load ends.** `completion` is called exactly once for each `load`, on any thread, also for keys that are unknown,
///   for failures, after `close`, and after a bound of time that the store sets itself (an object store that does not
///   answer). It may be called before `load` returns. It is cheap: it posts the result to the engine.
/// - **Bytes are whole or missing.** A store checks what it reads (length and a checksum or digest that it wrote itself): damaged,
///   truncated or half-written entries are `.failed` (and best removed), never `.found`.
/// - **Stores may be dropped.** `store` may decline, because the queue is full, the entry exists or there is no room; a block that
///   is not there later is computed. It says so in its statistics, not to the engine.
/// - **Limits are the store's.** It evicts by its own order (last used first is expected) within its own size; a `load` counts as
///   a use.
/// - **`close` is bounded.** It stops taking blocks, writes what was taken as far as `within` allows, then drops the rest, and
///   returns. Called once, by the thread that computes, when the engine ends. Loads that are under way end as `.failed`.
///
/// Several tiers are one store: it looks in the fastest first and may copy upwards what it finds.
package protocol BlockStore: AnyObject, Sendable {
    /// What operators call it, for logs and metrics: `disk`, `s3`.
    var name: String { get }

    /// Looks up the bytes of a block.
    func load(_ key: BlockKey, completion: @escaping @Sendable (BlockLoad) -> Void)

    /// Keeps the bytes of a block, if there is room.
    func store(_ key: BlockKey, _ bytes: [UInt8])

    /// Finishes what was taken, within a bound of time.
    func close(within limit: Duration)

    /// One entry per tier, fastest first.
    var statistics: [BlockStoreStatistics] { get }
}

/// How a load ended.
package enum BlockLoad: Sendable, Equatable {
    case found([UInt8])
    /// Not there.
    case missing
    /// There, but unreadable, or nobody knows: why.
    case failed(String)
}

/// What a tier has done so far. Counters only grow.
package struct BlockStoreStatistics: Sendable, Equatable {
    package var name: String
    /// Blocks asked for, and those of them that were there.
    package var queries = 0
    package var hits = 0
    /// Blocks that were there but could not be read, or could not be written.
    package var failures = 0
    /// Blocks written, declined for lack of room or time, and removed to make room.
    package var stored = 0
    package var dropped = 0
    package var evictions = 0
    package var readBytes = 0
    package var writtenBytes = 0
    /// Blocks and bytes that it holds, and bytes that it may hold (nil: no limit, or not known).
    package var blocks = 0
    package var usedBytes = 0
    package var byteLimit: Int?

    package init(name: String) { self.name = name }
}
