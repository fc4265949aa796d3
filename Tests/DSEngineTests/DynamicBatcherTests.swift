import DSEngine
import DSTestSupport
import Synchronization
import Testing

@Suite struct BatchQueueTests {
    private let start = ContinuousClock.now

    private func queue(
        _ size: Int, delay: Duration = .zero, _ change: (inout BatchingPolicy) -> Void = { _ in }
    ) throws -> BatchQueue {
        var policy = BatchingPolicy(maxBatchSize: size, maxQueueDelay: delay)
        change(&policy)
        return try BatchQueue(policy: policy)
    }

    private func expect(
        _ queue: inout BatchQueue, at time: ContinuousClock.Instant, _ expected: BatchQueue.Decision
    ) {
        let found = queue.next(now: time)
        #expect(found == expected)
    }

    /// The next batch has requests of these rows.
    private func expectBatch(_ queue: inout BatchQueue, at time: ContinuousClock.Instant, _ rows: [Int]) {
        guard case .batch(let entries) = queue.next(now: time) else {
            Issue.record("expected a batch of \(rows), found none")
            return
        }
        #expect(entries.map(\.rows) == rows)
    }

    @Test func withoutDelayWhateverWaitsIsABatch() throws {
        var queue = try queue(8)
        for _ in 0..<3 { _ = try queue.add(rows: 1, now: start) }
        expectBatch(&queue, at: start, [1, 1, 1])
        expect(&queue, at: start, .idle)
    }

    @Test func aDelayWaitsForAFullBatch() throws {
        var queue = try queue(3, delay: .milliseconds(50))
        _ = try queue.add(rows: 1, now: start)
        _ = try queue.add(rows: 1, now: start + .milliseconds(10))
        expect(&queue, at: start + .milliseconds(10), .wait(until: start + .milliseconds(50)))
        _ = try queue.add(rows: 1, now: start + .milliseconds(20))
        expectBatch(&queue, at: start + .milliseconds(20), [1, 1, 1])
        _ = try queue.add(rows: 1, now: start)
        expectBatch(&queue, at: start + .milliseconds(50), [1])
    }

    @Test func thePreferredSizeIsSentAtOnce() throws {
        var queue = try queue(8, delay: .seconds(1)) { $0.preferredBatchSizes = [2, 4] }
        for _ in 0..<3 { _ = try queue.add(rows: 1, now: start) }
        expectBatch(&queue, at: start, [1, 1])
        expect(&queue, at: start, .wait(until: start + .seconds(1)))
        for _ in 0..<4 { _ = try queue.add(rows: 1, now: start) }
        expectBatch(&queue, at: start, [1, 1, 1, 1])
    }

    @Test func aRequestThatDoesNotFitClosesTheBatch() throws {
        var queue = try queue(8, delay: .seconds(1))
        for rows in [3, 4, 2] { _ = try queue.add(rows: rows, now: start) }
        expectBatch(&queue, at: start, [3, 4])
        #expect(throws: BatchingError.tooLarge(rows: 9, limit: 8)) { try queue.add(rows: 9, now: start) }
    }

    @Test func urgentRequestsGoFirst() throws {
        var queue = try queue(2) {
            $0.priorityLevels = 2
            $0.defaultPriority = 2
        }
        let late = try queue.add(rows: 1, now: start)
        let urgent = try queue.add(rows: 1, priority: 1, now: start)
        guard case .batch(let entries) = queue.next(now: start) else {
            Issue.record("no batch")
            return
        }
        #expect(entries.map(\.id) == [urgent, late])
        #expect(throws: BatchingError.unknownPriority(3, levels: 2)) { try queue.add(rows: 1, priority: 3, now: start) }
    }

    @Test func whoWaitedTooLongIsRejectedOrPutBehind() throws {
        for action in [BatchingPolicy.QueuePolicy.TimeoutAction.reject, .delay] {
            var queue = try queue(1) {
                $0.queuePolicy.timeoutAction = action
                $0.queuePolicy.defaultTimeout = .milliseconds(10)
            }
            let first = try queue.add(rows: 1, now: start)
            let second = try queue.add(rows: 1, now: start + .milliseconds(5))
            let rejected = queue.expire(now: start + .milliseconds(12)).map(\.id)
            #expect(rejected == (action == .reject ? [first] : []))
            guard case .batch(let entries) = queue.next(now: start + .milliseconds(12)) else {
                Issue.record("no batch")
                return
            }
            #expect(entries.map(\.id) == [second])
        }
    }

    @Test func theQueueIsBounded() throws {
        var queue = try queue(1) { $0.queuePolicy.maxQueueSize = 2 }
        for _ in 0..<2 { _ = try queue.add(rows: 1, now: start) }
        #expect(throws: BatchingError.queueFull(limit: 2)) { try queue.add(rows: 1, now: start) }
    }

    @Test func policiesThatMakeNoSenseAreRefused() {
        let wrong: [(inout BatchingPolicy) -> Void] = [
            { $0.maxBatchSize = 0 }, { $0.preferredBatchSizes = [9] }, { $0.priorityLevels = 2 },
            { $0.queuePolicies = [1: .init()] }, { $0.maxQueueDelay = .seconds(-1) },
            { $0.queuePolicy.maxQueueSize = 0 },
        ]
        for change in wrong { #expect(throws: BatchingError.self) { try self.queue(8, change) } }
    }

    /// Nothing is lost, computed twice or later than it must be, whatever happens in whatever order.
    @Test(arguments: 0..<40) func randomWalk(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var queue = try queue(
            Int.random(in: 1...8, using: &random), delay: .milliseconds(Int.random(in: 0...20, using: &random))
        ) {
            $0.priorityLevels = Int.random(in: 0...3, using: &random)
            $0.defaultPriority = $0.priorityLevels
            $0.queuePolicy.timeoutAction = Bool.random(using: &random) ? .reject : .delay
            $0.queuePolicy.defaultTimeout = Bool.random(using: &random) ? .milliseconds(30) : nil
            $0.queuePolicy.maxQueueSize = Bool.random(using: &random) ? 10 : nil
            if Bool.random(using: &random) {
                $0.preferredBatchSizes = [Int.random(in: 1...$0.maxBatchSize, using: &random)]
            }
        }
        var now = start
        var waiting: Set<UInt64> = []
        for step in 0..<400 {
            now += .milliseconds(Int.random(in: 0...4, using: &random))
            switch Int.random(in: 0...5, using: &random) {
            case 0...2:
                let rows = Int.random(in: 1...queue.policy.maxBatchSize, using: &random)
                if let id = try? queue.add(rows: rows, now: now) {
                    let isNew = waiting.insert(id).inserted
                    #expect(isNew)
                }
            case 3:
                if let id = waiting.randomElement(using: &random) {
                    let first = queue.remove(id)
                    let second = queue.remove(id)
                    waiting.remove(id)
                    #expect(first && !second)
                }
            default:
                for entry in queue.expire(now: now) {
                    let known = waiting.remove(entry.id)
                    #expect(known != nil)
                }
                switch queue.next(now: now) {
                case .idle: #expect(waiting.isEmpty, "seed \(seed) step \(step)")
                case .wait(let time): #expect(time > now && !waiting.isEmpty, "seed \(seed) step \(step)")
                case .batch(let entries):
                    #expect(!entries.isEmpty && entries.reduce(0) { $0 + $1.rows } <= queue.policy.maxBatchSize)
                    for entry in entries {
                        let known = waiting.remove(entry.id)
                        #expect(known != nil, "seed \(seed) step \(step)")
                    }
                }
            }
            #expect(queue.count == waiting.count && queue.brokenInvariant() == nil, "seed \(seed) step \(step)")
        }
    }
}

@Suite struct DynamicBatcherTests {
    private struct Odd: Error {}

    @Test func joinsWhatComesTogetherAndKeepsItsOrder() async throws {
        let batches = Mutex<[[Int]]>([])
        let batcher = try DynamicBatcher<Int, Int>(maxBatchSize: 4, timeout: .seconds(60)) { batch in
            batches.withLock { $0.append(batch) }
            return batch.map { $0 * 10 }
        }
        let answers = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 0..<8 { group.addTask { (number, try await batcher.add(number)) } }
            return try await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
        }
        #expect(answers == Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, $0 * 10) }))
        #expect(batches.withLock { $0.map(\.count) } == [4, 4])
        #expect(batcher.statistics.meanBatchSize == 4 && batcher.waitingRequests == 0)
    }

    @Test func aLonelyRequestIsComputedAfterTheTimeout() async throws {
        let batcher = try DynamicBatcher<Int, Int>(maxBatchSize: 4, timeout: .milliseconds(20)) { $0 }
        #expect(try await batcher.add(7) == 7)
    }

    @Test func oneRequestFailsAlone() async throws {
        var policy = BatchingPolicy(maxBatchSize: 4, maxQueueDelay: .seconds(60))
        policy.preservesOrder = true
        let batcher = try DynamicBatcher<Int, Int>(policy: policy) { batch in
            batch.map { $0 == 3 ? .failure(Odd()) : .success($0) }
        }
        let answers = await withTaskGroup(of: Int?.self) { group in
            for number in 0..<4 { group.addTask { try? await batcher.add(number) } }
            return await group.reduce(into: Set<Int?>()) { $0.insert($1) }
        }
        #expect(answers == [0, 1, 2, nil])
    }

    @Test func whatTheBatchThrowsIsEverybodysAnswer() async throws {
        let batcher = try DynamicBatcher<Int, Int>(maxBatchSize: 1, timeout: .zero) { _ in throw Odd() }
        await #expect(throws: Odd.self) { try await batcher.add(1) }
        let short = try DynamicBatcher<Int, Int>(maxBatchSize: 1, timeout: .zero) { _ in [] }
        await #expect(throws: BatchingError.wrongResultCount(expected: 1, found: 0)) { try await short.add(1) }
    }

    @Test func aCancelledRequestLeavesTheQueue() async throws {
        let batcher = try DynamicBatcher<Int, Int>(maxBatchSize: 2, timeout: .seconds(600)) { $0 }
        let task = Task { try await batcher.add(1) }
        while batcher.waitingRequests == 0 { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(batcher.waitingRequests == 0 && batcher.statistics.batches == 0)
    }

    @Test func lateRequestsFail() async throws {
        var policy = BatchingPolicy(maxBatchSize: 2, maxQueueDelay: .seconds(600))
        policy.queuePolicy.defaultTimeout = .milliseconds(10)
        let batcher = try DynamicBatcher<Int, Int>(policy: policy) { $0.map { .success($0) } }
        await #expect(throws: BatchingError.self) { try await batcher.add(1) }
        #expect(batcher.statistics.rejectedRequests == 1)
    }

    @Test func answersKeepTheOrderOfTheRequestsOverInstances() async throws {
        var policy = BatchingPolicy(maxBatchSize: 1)
        policy.preservesOrder = true
        let finished = Mutex<[Int]>([])
        // The first batch is computed last.
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let batcher = try DynamicBatcher<Int, Int>(policy: policy, instances: 2) { batch in
            if batch == [0] { for await _ in gate { break } } else { open.finish() }
            return batch.map { .success($0) }
        }
        let first = Task {
            let answer = try await batcher.add(0)
            finished.withLock { $0.append(answer) }
        }
        while batcher.statistics.batches == 0 { await Task.yield() }
        #expect(try await batcher.add(1) == 1)
        try await first.value
        #expect(batcher.statistics.batches == 2 && finished.withLock { $0 } == [0])
    }
}
