internal import CDSKernels
internal import Synchronization

/// What the threads of a pool share: the current job, and who computes which part of it.
///
/// Phases are numbered on and on over all jobs. Every part has the number of the phase up to which it was claimed; a thread
/// claims its own part of the current phase and, when that is done, those that nobody has begun meanwhile. So a thread
/// that does not get its processor, because another process has it, delays the others by the part it was computing at
/// most, and a single thread comes to an end, too. With a barrier that all threads have to reach, two threads beside one
/// busy process took up to thirty times as long as alone, as every one of a hundred phases waited for a time slice.
@safe final class PoolState: @unchecked Sendable {
    // SAFETY: `job` and `firstPhase` are written by the caller of `run` before `limit` is raised, and not again before
    // all parts of the job's phases are finished. They are read by who has claimed such a part, which is not finished.

    let count: Int
    /// Phases below this number may be claimed.
    private let limit = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let busy = Atomic<Bool>(false)
    private let parking = ParkingPlace()
    /// A cache line each: how many parts were finished, then for each part how many phases of it were claimed.
    private let lines: UnsafeMutablePointer<Atomic<Int>>
    private let scratch: UnsafeMutableRawBufferPointer
    private var job: (any ParallelJob)?
    private var firstPhase = 0

    private static let lineWords = 64 / MemoryLayout<Atomic<Int>>.stride
    /// How often, per thread, a thread looks whether the phase ends before it looks for parts that nobody has begun: some
    /// tenths of a microsecond for two threads, and as long for many as looking at all their parts takes.
    private static let grace = 8

    init(count: Int) {
        self.count = count
        unsafe lines = .allocate(capacity: (count + 1) * Self.lineWords)
        for index in 0..<(count + 1) * Self.lineWords { unsafe (lines + index).initialize(to: Atomic(0)) }
        unsafe scratch = .allocate(byteCount: count * WorkShare.scratchByteCount, alignment: 4096)
    }

    deinit {
        unsafe lines.deinitialize(count: (count + 1) * Self.lineWords)
        unsafe lines.deallocate()
        unsafe scratch.deallocate()
    }

    private var finished: UnsafeMutablePointer<Atomic<Int>> { unsafe lines }

    private func claimed(_ part: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        unsafe lines + (part + 1) * Self.lineWords
    }

    /// The phase that is computed now or, if nothing is, comes next.
    private var phase: Int { unsafe finished.pointee.load(ordering: .acquiring) / count }

    // MARK: The caller

    func run(_ job: some ParallelJob) {
        precondition(!busy.exchange(true, ordering: .acquiring), "one run of a pool at a time")
        let first = limit.load(ordering: .relaxed)
        let end = first + job.phaseCount
        self.job = job
        firstPhase = first
        limit.store(end, ordering: .sequentiallyConsistent)
        if count > 1, end > first { parking.wakeAll() }
        for phase in first..<end { advance(phase, as: 0) }
        self.job = nil
        busy.store(false, ordering: .releasing)
    }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        limit.add(1, ordering: .sequentiallyConsistent)
        parking.wakeAll()
    }

    // MARK: The threads

    func work(as worker: Int) {
        var seen = 0
        while true {
            parking.wait { limit.load(ordering: .sequentiallyConsistent) > seen }
            if stopping.load(ordering: .sequentiallyConsistent) { return }
            seen = limit.load(ordering: .sequentiallyConsistent)
            while true {
                let phase = phase
                guard phase < seen else { break }
                advance(phase, as: worker)
            }
        }
    }

    /// Returns when `phase` is complete, having computed what there was to compute.
    private func advance(_ phase: Int, as worker: Int) {
        let end = (phase + 1) * count
        compute(worker, of: phase, as: worker)
        for _ in 0..<Self.grace * count {
            if unsafe finished.pointee.load(ordering: .acquiring) >= end { return }
            ck_pause()
        }
        for next in 1..<max(count, 2) { compute((worker + next) % count, of: phase, as: worker) }
        parking.wait { unsafe finished.pointee.load(ordering: .sequentiallyConsistent) >= end }
    }

    /// Computes a part of a phase unless it was claimed before.
    private func compute(_ part: Int, of phase: Int, as worker: Int) {
        let claim = unsafe claimed(part)
        let known = unsafe claim.pointee.load(ordering: .relaxed)
        guard known <= phase,
            unsafe claim.pointee.compareExchange(expected: known, desired: phase + 1, ordering: .acquiringAndReleasing)
                .exchanged
        else { return }
        let first = firstPhase
        let share = share(part, scratchOf: worker)
        job?.run(phase: phase - first, share: share)
        let done = unsafe finished.pointee.add(1, ordering: .sequentiallyConsistent).newValue
        if done == (phase + 1) * count { parking.wakeAll() }
    }

    private func share(_ part: Int, scratchOf worker: Int) -> WorkShare {
        let bytes = WorkShare.scratchByteCount
        let own = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[worker * bytes..<(worker + 1) * bytes])
        return unsafe WorkShare(worker: part, count: count, scratch: own)
    }
}
