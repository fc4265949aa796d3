package import DSKernels
internal import Dispatch

/// The host processor: all workers of one pool walk each plan together.
package final class CPUBackend: Backend {
    package let name = "cpu"
    package let kernels: KernelSet
    package let pool: ThreadPool

    package init(kernels: KernelSet, pool: ThreadPool) {
        self.kernels = kernels
        self.pool = pool
    }

    /// Bytes of the copies of weights that `bind` makes for an optimised graph.
    package static func copiedBytes(_ graph: Graph, _ kernels: KernelSet) -> Int {
        CPUWeights.relocatable(graph, kernels).reduce(0) { $0 + $1.byteCount }
    }

    /// With 512 rows, copies bring a third on AVX2 and nothing on AVX-512 (design 5).
    package var rowsWorthCopies: Int? { kernels.tier == .avx2 ? 384 : nil }

    package var topology: Topology {
        Topology(devices: [
            Device(index: 0, kind: .cpu, name: kernels.tier.rawValue, workerCount: pool.threadCount)
        ])
    }

    package func makeBuffer(byteCount: Int, device: Int) throws(GraphError) -> any DeviceBuffer {
        try HostBuffer(byteCount: byteCount)
    }

    package func makeStream(device: Int) -> any ExecutionStream { CPUStream(pool: pool) }

    package func bind(_ graph: Graph, reservedBytes: Int) throws(GraphError) -> any BoundWeights {
        try CPUWeights(graph, kernels: kernels, pool: pool, reservedBytes: reservedBytes)
    }

    package func lower(
        _ node: Node, weights: any BoundWeights, into builder: inout PlanBuilder
    ) throws(GraphError) {
        guard let weights = weights as? CPUWeights else {
            throw .unsupported(op: node.op.name, backend: name, reason: "weights bound by another backend")
        }
        try CPULowering(kernels: kernels, weights: weights, workerCount: pool.threadCount).lower(node, into: &builder)
    }
}

/// Runs plans on the pool, one after the other, in the caller's thread.
final class CPUStream: ExecutionStream {
    private let pool: ThreadPool
    private let job = PlanJob()

    init(pool: ThreadPool) { self.pool = pool }

    func submit(_ plan: Plan, _ context: UnsafePointer<RunContext>, profile: StepProfile?) {
        unsafe job.prepare(plan, context, profile)
        pool.run(job)
        profile?.endRun()
        job.clear()
    }

    /// `submit` returns when the plan has finished.
    func synchronize() {}
}

/// One run of a plan, walked by every worker.
@safe private final class PlanJob: ParallelJob {
    private var plan: Plan?
    private var steps = unsafe UnsafeBufferPointer<Unmanaged<Step>>(start: nil, count: 0)
    private var barriers = unsafe UnsafeBufferPointer<Bool>(start: nil, count: 0)
    private var context: UnsafePointer<RunContext>?
    private var profile: StepProfile?

    func prepare(_ plan: Plan, _ context: UnsafePointer<RunContext>, _ profile: StepProfile?) {
        self.plan = plan
        unsafe steps = UnsafeBufferPointer(plan.table)
        unsafe barriers = UnsafeBufferPointer(plan.barriers)
        unsafe self.context = context
        self.profile = profile
    }

    func clear() {
        plan = nil
        profile = nil
    }

    func run(share: WorkShare, barrier: Barrier) {
        guard let context = unsafe context else { return }
        if share.worker == 0, let profile {
            unsafe runTimed(context, share, barrier, profile)
            return
        }
        for index in unsafe 0..<steps.count {
            unsafe steps[index]._withUnsafeGuaranteedRef { unsafe $0.run(context, share: share) }
            if unsafe barriers[index] { barrier.wait() }
        }
    }

    /// As `run`; the time of a step includes the barrier after it.
    private func runTimed(
        _ context: UnsafePointer<RunContext>, _ share: WorkShare, _ barrier: Barrier, _ profile: StepProfile
    ) {
        for index in unsafe 0..<steps.count {
            let start = DispatchTime.now().uptimeNanoseconds
            unsafe steps[index]._withUnsafeGuaranteedRef { unsafe $0.run(context, share: share) }
            let step = unsafe steps[index].takeUnretainedValue()
            // Before the barrier: afterwards others may write where the step read.
            let work = unsafe step.work(context)
            if unsafe barriers[index] { barrier.wait() }
            profile.add(step, from: start, to: DispatchTime.now().uptimeNanoseconds, work: work)
        }
    }
}
