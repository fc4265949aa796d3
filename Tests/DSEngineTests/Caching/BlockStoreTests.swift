import DSEngine
import Synchronization
import Testing

/// Answers loads when it is told to.
final class GatedBlockStore: BlockStore {
    let name = "gated"
    private let inner: MemoryBlockStore
    private let waiting = Mutex<[@Sendable () -> Void]?>([])

    init(_ inner: MemoryBlockStore) { self.inner = inner }

    func load(_ key: BlockKey, completion: @escaping @Sendable (BlockLoad) -> Void) {
        let isOpen = waiting.withLock { waiting in
            guard waiting != nil else { return true }
            waiting?.append { [inner] in inner.load(key, completion: completion) }
            return false
        }
        if isOpen { inner.load(key, completion: completion) }
    }

    func store(_ key: BlockKey, _ bytes: [UInt8]) { inner.store(key, bytes) }
    func close(within limit: Duration) { open() }
    var statistics: [BlockStoreStatistics] { inner.statistics }
    var waitingCount: Int { waiting.withLock { $0?.count ?? 0 } }

    func open() {
        let waiting = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting ?? []
        }
        for answer in waiting { answer() }
    }
}

@Suite("Blocks below memory")
struct BlockStoreTests {
    @Test("Another engine finds what the first one computed", arguments: UInt64(1)...4)
    func survivesTheEngine(seed: UInt64) async throws {
        let rounds = PrefixCacheTests.rounds(seed)
        let plain = try await PrefixCacheTests.run(rounds, isCaching: false)
        let store = MemoryBlockStore(byteLimit: 1 << 20)
        let first = try await PrefixCacheTests.run(rounds, isCaching: true, store: store)
        #expect(first.outcomes == plain.outcomes)
        let second = try await PrefixCacheTests.run(rounds, isCaching: true, store: store.copy())
        #expect(second.outcomes == plain.outcomes)
        #expect(second.statistics.blockLoadHits > 0)
        #expect(second.statistics.blockStores < first.statistics.blockStores)
        #expect(second.statistics.prefixCacheHits > first.statistics.prefixCacheHits)
        #expect(second.statistics.blockLoadFailures == 0)
        // A cache that is smaller than what comes from below.
        let small = try await PrefixCacheTests.run(rounds, isCaching: true, blocks: 26, store: store.copy())
        #expect(small.outcomes == plain.outcomes)
    }

    @Test("Blocks that are damaged are computed")
    func damaged() async throws {
        let rounds = PrefixCacheTests.rounds(3)
        let plain = try await PrefixCacheTests.run(rounds, isCaching: false)
        let store = MemoryBlockStore(byteLimit: 1 << 20)
        _ = try await PrefixCacheTests.run(rounds, isCaching: true, store: store)
        let damaged = MemoryBlockStore(byteLimit: 1 << 20)
        for (index, key) in store.keys.enumerated() {
            damaged.store(key, (store.bytes(of: key) ?? []).dropLast(index % 2 == 0 ? 1 : 0))
        }
        let found = try await PrefixCacheTests.run(rounds, isCaching: true, store: damaged)
        #expect(found.outcomes == plain.outcomes)
        #expect(found.statistics.blockLoadFailures > 0)
    }

    @Test("Answers that are kept go to the store, whoever ends them", arguments: [false, true])
    func answers(isCancelled: Bool) async throws {
        func engine(_ store: MemoryBlockStore) throws -> Engine {
            var configuration = EngineConfiguration()
            configuration.maxBatchTokens = 16
            configuration.maxBatchSize = 8
            configuration.keepsAnswers = true
            return try Engine(
                runner: ScriptedModelRunner(maximumContext: 96, blockCount: 64, blockSize: 4), endTokens: [],
                configuration: configuration, store: store)
        }
        let prompt = (0..<13).map { Int32($0 + 10) }
        let store = MemoryBlockStore(byteLimit: 1 << 20)
        let first = try engine(store)
        let stream = try first.submit(.greedy(prompt, isCancelled ? 70 : 20))
        var answer: [Int32] = []
        for try await event in stream {
            if case .token(let token) = event { answer.append(token.id) }
            if answer.count == 20 { stream.cancel() }
        }
        while first.statistics().usedBlocks > 0 { await Task.yield() }
        await first.shutdown()
        let second = try engine(store.copy())
        let (_, result) = try await second.submit(.greedy(prompt + answer.prefix(20) + [5], 2)).drain()
        #expect(result?.usage.cachedPromptTokens == 32)
        await second.shutdown()
    }

    @Test("A request that is cancelled while its blocks are on their way leaves nothing; others do not wait for it")
    func cancelledWhileFetching() async throws {
        let prompt = (0..<33).map { Int32($0 + 10) }
        let filled = MemoryBlockStore(byteLimit: 1 << 20)
        _ = try await PrefixCacheTests.run([[.greedy(prompt, 2)]], isCaching: true, store: filled)
        let gated = GatedBlockStore(filled.copy())
        var configuration = EngineConfiguration()
        configuration.maxBatchTokens = 16
        configuration.maxBatchSize = 8
        let engine = try Engine(
            runner: ScriptedModelRunner(maximumContext: 96, blockCount: 64, blockSize: 4), endTokens: [9],
            configuration: configuration, store: gated)
        let waits = try engine.submit(.greedy(prompt, 5))
        let cancelled = try engine.submit(.greedy(prompt, 5))
        // Its prompt fills no block: there is nothing to ask for.
        let other = try engine.submit(.greedy([1, 2, 3], 5))
        #expect(
            try await other.drain().tokens == ScriptedModelRunner.continuation([1, 2, 3], count: 5, endTokens: [9]))
        #expect(gated.waitingCount > 0)
        cancelled.cancel()
        gated.open()
        let (tokens, result) = try await waits.drain()
        #expect(tokens == ScriptedModelRunner.continuation(prompt, count: 5, endTokens: [9]))
        #expect(result?.usage.cachedPromptTokens == 32)
        await engine.shutdown()
        #expect(engine.statistics().usedBlocks == 0)
    }

    @Test("More requests than are fetched at a time: each has its turn, also where others are cancelled")
    func manyFetches() async throws {
        let prompts = (0..<30).map { index in (0..<25).map { Int32(($0 * 7 + index * 3) % 50) } }
        let filled = MemoryBlockStore(byteLimit: 1 << 20)
        _ = try await PrefixCacheTests.run([prompts.map { .greedy($0, 1) }], isCaching: true, store: filled)
        let gated = GatedBlockStore(filled.copy())
        var configuration = EngineConfiguration()
        configuration.maxBatchTokens = 16
        configuration.maxBatchSize = 8
        let engine = try Engine(
            runner: ScriptedModelRunner(maximumContext: 96, blockCount: 64, blockSize: 4), endTokens: [9],
            configuration: configuration, store: gated)
        let streams = try prompts.map { try engine.submit(.greedy($0, 3)) }
        while gated.waitingCount < 40 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(gated.waitingCount <= 64)
        for index in stride(from: 0, to: 30, by: 3) { streams[index].cancel() }
        gated.open()
        for (index, stream) in streams.enumerated() where index % 3 != 0 {
            let expected = ScriptedModelRunner.continuation(prompts[index], count: 3, endTokens: [9])
            #expect(try await stream.drain().tokens == expected)
        }
        await engine.shutdown()
        #expect(engine.statistics().usedBlocks == 0 && engine.statistics().waitingRequests == 0)
    }

    @Test func memoryStoreEvictsTheLongestUnused() throws {
        let store = MemoryBlockStore(byteLimit: 100)
        let keys = BlockKeyTests.hasher.chain(of: (0..<17).map(Int32.init), salt: nil).keys
        for key in keys.prefix(2) { store.store(key, [UInt8](repeating: 1, count: 40)) }
        store.load(keys[0]) { #expect($0 == .found([UInt8](repeating: 1, count: 40))) }
        store.store(keys[2], [UInt8](repeating: 2, count: 40))
        store.load(keys[1]) { #expect($0 == .missing) }
        store.load(keys[0]) { #expect($0 != .missing) }
        store.close(within: .zero)
        store.load(keys[0]) { #expect($0 == .failed("the store is closed")) }
        let statistics = try #require(store.statistics.first)
        #expect(statistics.evictions == 1 && statistics.blocks == 2 && statistics.usedBytes == 80)
    }
}
