import DSKernels
import DSTensor
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct ThreadPoolTests {
    /// Each part adds to its own counter in even phases; odd ones check all counters.
    private final class Counting {
        let counters: [Box]
        let failures = Atomic<Int>(0)
        let rounds: Int

        final class Box: Sendable { let value = Atomic<Int>(0) }

        init(workers: Int, rounds: Int) {
            counters = (0..<workers).map { _ in Box() }
            self.rounds = rounds
        }

        func run(_ pool: ThreadPool) {
            withExtendedLifetime(self) { pool.run(Job(counting: .passUnretained(self))) }
        }
    }

    private struct Job: ParallelJob {
        let counting: Unmanaged<Counting>

        var phaseCount: Int { counting._withUnsafeGuaranteedRef { 2 * $0.rounds } }

        func run(phase: Int, share: WorkShare) {
            let counting = counting.takeUnretainedValue()
            if phase.isMultiple(of: 2) {
                counting.counters[share.worker].value.add(1, ordering: .relaxed)
                return
            }
            for counter in counting.counters where counter.value.load(ordering: .relaxed) != phase / 2 + 1 {
                counting.failures.add(1, ordering: .relaxed)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 8])
    func allWorkersWalkTogether(workers: Int) throws {
        let pool = try ThreadPool(threadCount: workers)
        #expect(pool.threadCount == workers)
        for rounds in [1, 50, 3] {
            let job = Counting(workers: workers, rounds: rounds)
            job.run(pool)
            #expect(job.failures.load(ordering: .relaxed) == 0)
            #expect(job.counters.allSatisfy { $0.value.load(ordering: .relaxed) == rounds })
        }
    }

    @Test func parkedWorkersWakeAgain() async throws {
        let pool = try ThreadPool(threadCount: 3)
        let total = Counting(workers: 3, rounds: 1)
        total.run(pool)
        try await Task.sleep(for: .milliseconds(20))  // far longer than workers spin
        let again = Counting(workers: 3, rounds: 2)
        again.run(pool)
        #expect(again.counters.allSatisfy { $0.value.load(ordering: .relaxed) == 2 })
    }

    @Test func poolsComeAndGo() throws {
        for _ in 0..<20 { _ = try ThreadPool(threadCount: 4) }
        #expect(throws: KernelError.invalidThreadCount(0)) { try ThreadPool(threadCount: 0) }
        #expect(Processors.usable >= 1)
    }

    /// Parts that run at the same time have scratch memory of their own: each fills its own and finds it unchanged after all
    /// have done so.
    @Test func scratchIsOnesOwn() throws {
        let pool = try ThreadPool(threadCount: 3, pinning: .processors)
        let arrived = Atomic<Int>(0)
        let starts = Mutex<[Int]>([])
        let failures = Atomic<Int>(0)
        pool.run { share in
            share.scratch.initializeMemory(as: UInt8.self, repeating: UInt8(share.worker + 1))
            starts.withLock { $0.append(Int(bitPattern: share.scratch.baseAddress)) }
            arrived.add(1, ordering: .sequentiallyConsistent)
            // Nobody takes two parts as long as each waits for the others here.
            while arrived.load(ordering: .sequentiallyConsistent) < 3 { sched_yield() }
            if share.scratch.contains(where: { $0 != UInt8(share.worker + 1) }) { failures.add(1, ordering: .relaxed) }
        }
        let sorted = starts.withLock { $0.sorted() }
        #expect(sorted.count == 3)
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 >= WorkShare.scratchByteCount })
        #expect(sorted.allSatisfy { $0 % 64 == 0 })
    }

    /// With eight threads per processor most are late, and one that is there computes their parts.
    @Test func latePartsAreTaken() throws {
        let pool = try ThreadPool(threadCount: 8 * Processors.usable)
        var moved = 0
        for _ in 0..<50 {
            let owners = Mutex<[Int: Int]>([:])
            pool.run { share in
                let start = Int(bitPattern: share.scratch.baseAddress)
                owners.withLock { $0[share.worker] = start }
            }
            let found = owners.withLock { $0 }
            #expect(found.count == pool.threadCount)
            moved += found.count - Set(found.values).count
        }
        #expect(moved > 0, "one thread computed several parts")
    }

    @Test(arguments: [(0, 4), (1, 4), (10, 3), (37, 5)], [1, 4])
    func sharesCoverTheWork(work: (total: Int, workers: Int), unit: Int) {
        var covered: [Int] = []
        forEachShare(of: work.workers) { covered += Array($0.range(of: work.total, unit: unit)) }
        #expect(covered == Array(0..<work.total))
    }

    @Test func tiersAreForced() throws {
        #expect(KernelSet.available.contains(.reference))
        for tier in KernelSet.available { #expect(KernelSet.forTier(tier)?.tier == tier) }
        #expect(KernelSet.reference.activationFormat(for: .q4K) == .f32)
        #expect(KernelSet.available.contains(KernelSet.best().tier))
    }
}
