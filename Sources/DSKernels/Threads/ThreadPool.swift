#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Whether the pool's threads are bound to processors.
package enum ThreadPinning: Hashable, Sendable {
    case none
    /// Worker i > 0 is bound to the i-th processor of the affinity mask; the caller is never bound.
    case processors
}

/// A fixed set of parked threads. The caller of `run` is worker 0; a run allocates nothing.
package final class ThreadPool: Sendable {
    package let threadCount: Int
    private let state: PoolState
    private let threads: WorkerThreads

    /// Starts `threadCount - 1` threads; the default is the number of processors that this process may use.
    package init(threadCount: Int? = nil, pinning: ThreadPinning = .none) throws(KernelError) {
        let count = threadCount ?? Processors.usable
        guard count >= 1 else { throw .invalidThreadCount(count) }
        let state = PoolState(count: count)
        self.threadCount = count
        self.state = state
        self.threads = try WorkerThreads(state: state, pinning: pinning)
    }

    deinit {
        state.stop()
        threads.join()
    }

    /// Runs all phases of `job` and returns when they are complete. One run at a time.
    package func run(_ job: some ParallelJob) {
        state.run(job)
    }

    /// Calls `body` with every part. Allocates the closure's context; steady paths use a `ParallelJob`.
    package func run(_ body: @escaping (WorkShare) -> Void) {
        let body = ClosureJob.Body(body)
        withExtendedLifetime(body) { state.run(unsafe ClosureJob(body: .passUnretained(body))) }
    }
}

/// The threads themselves.
@safe private final class WorkerThreads: @unchecked Sendable {
    // SAFETY: written in init and join only, which one owner calls.

    private var threads: [pthread_t] = []

    init(state: PoolState, pinning: ThreadPinning) throws(KernelError) {
        for worker in 1..<max(state.count, 1) {
            let start = ThreadStart(state: state, worker: worker, pinning: pinning)
            let argument = unsafe Unmanaged.passRetained(start)
            var thread = pthread_t(bitPattern: 0)
            let code = unsafe WorkerThreads.create(&thread, argument.toOpaque())
            guard code == 0 else {
                unsafe argument.release()
                state.stop()
                join()
                throw .threadStart(code: code)
            }
            threads.append(thread)
        }
    }

    private static func create(_ thread: inout pthread_t, _ argument: UnsafeMutableRawPointer) -> Int32 {
        unsafe pthread_create(
            &thread, nil,
            { raw in
                #if canImport(Darwin)
                    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(raw).takeRetainedValue()
                #else
                    guard let raw = unsafe raw else { return nil }
                    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(raw).takeRetainedValue()
                #endif
                if start.pinning == .processors { Processors.bindThread(toUsable: start.worker) }
                start.state.work(as: start.worker)
                return nil
            }, argument)
    }

    func join() {
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }
}

private final class ThreadStart {
    let state: PoolState
    let worker: Int
    let pinning: ThreadPinning

    init(state: PoolState, worker: Int, pinning: ThreadPinning) {
        self.state = state
        self.worker = worker
        self.pinning = pinning
    }
}
