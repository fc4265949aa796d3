#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Whether the pool's threads are bound to processors (`ProcessorNodes`).
package enum ThreadPinning: Hashable, Sendable {
    case none
    /// Each worker is bound to one processor.
    case processors
    /// Each worker is bound to the processors of one memory node.
    case nodes
}

/// A fixed set of parked threads. The caller of `run` is worker 0; a run allocates nothing.
package final class ThreadPool: Sendable {
    package let threadCount: Int
    private let state: PoolState
    private let threads: WorkerThreads
    /// Where the caller is bound during a run; nil: it is not.
    private let callerPlace: ProcessorSet?

    /// Starts `threadCount - 1` threads; the default is the number of processors that this process may use.
    ///
    /// - Parameter bindsCaller: whether `pinning` is for the caller of `run`, too. Only during runs: threads that it starts
    ///   between them would inherit its mask.
    package init(
        threadCount: Int? = nil, pinning: ThreadPinning = .none, bindsCaller: Bool = false
    ) throws(KernelError) {
        let count = threadCount ?? Processors.usable
        guard count >= 1 else { throw .invalidThreadCount(count) }
        let state = PoolState(count: count)
        let nodes = pinning == .none ? nil : ProcessorNodes()
        let places = (0..<count).map { worker in
            nodes?.processors(of: worker, count: count, pinning: pinning).map { ProcessorSet($0) }
        }
        self.threadCount = count
        self.state = state
        self.callerPlace = bindsCaller ? places[0] : nil
        self.threads = try WorkerThreads(state: state, places: places)
    }

    deinit {
        state.stop()
        threads.join()
    }

    /// Runs all phases of `job` and returns when they are complete. One run at a time.
    package func run(_ job: some ParallelJob) {
        guard let callerPlace else { return state.run(job) }
        callerPlace.whileBound { state.run(job) }
    }

    /// Calls `body` with every part. Allocates the closure's context; steady paths use a `ParallelJob`.
    package func run(_ body: @escaping (WorkShare) -> Void) {
        let body = ClosureJob.Body(body)
        withExtendedLifetime(body) { unsafe run(ClosureJob(body: .passUnretained(body))) }
    }
}

/// The threads themselves.
@safe private final class WorkerThreads: @unchecked Sendable {
    // SAFETY: written in init and join only, which one owner calls.

    private var threads: [pthread_t] = []

    init(state: PoolState, places: [ProcessorSet?]) throws(KernelError) {
        for worker in 1..<max(state.count, 1) {
            let start = ThreadStart(state: state, worker: worker, place: places[worker])
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
                start.place?.bindThread()
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
    let place: ProcessorSet?

    init(state: PoolState, worker: Int, place: ProcessorSet?) {
        self.state = state
        self.worker = worker
        self.place = place
    }
}
