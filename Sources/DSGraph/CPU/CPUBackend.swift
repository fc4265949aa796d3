package import DSKernels
internal import Dispatch

/// The host processor: the threads of one pool compute the parts of each plan's phases.
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

    init(pool: ThreadPool) { self.pool = pool }

    func submit(_ plan: Plan, _ context: UnsafePointer<RunContext>, profile: StepProfile?) {
        var run = unsafe PlanRun(
            steps: UnsafePointer(plan.table.baseAddress), phases: UnsafeBufferPointer(plan.phases), context: context,
            profile: profile.map { unsafe Unmanaged.passUnretained($0) })
        withExtendedLifetime((plan, profile)) {
            unsafe withUnsafePointer(to: &run) { unsafe pool.run(PlanJob(plan: $0)) }
        }
        profile?.endRun(DispatchTime.now().uptimeNanoseconds)
    }

    /// `submit` returns when the plan has finished.
    func synchronize() {}
}

/// One run of a plan: the steps between two barriers are a phase.
@unsafe private struct PlanRun {
    let steps: UnsafePointer<Unmanaged<Step>>?
    let phases: UnsafeBufferPointer<Range<Int>>
    let context: UnsafePointer<RunContext>
    let profile: Unmanaged<StepProfile>?

    func run(phase: Int, share: WorkShare) {
        guard let steps = unsafe steps else { return }
        for index in unsafe phases[phase] {
            if share.worker == 0, let profile = unsafe profile { unsafe begin(steps[index], profile) }
            unsafe steps[index]._withUnsafeGuaranteedRef { unsafe $0.run(context, share: share) }
        }
    }

    /// Called for first parts only, so by one thread at a time; before the step, as others may write later where it reads.
    private func begin(_ step: Unmanaged<Step>, _ profile: Unmanaged<StepProfile>) {
        let step = unsafe step.takeUnretainedValue()
        unsafe profile._withUnsafeGuaranteedRef {
            $0.begin(step, at: DispatchTime.now().uptimeNanoseconds, work: unsafe step.work(context))
        }
    }
}

/// A run that the caller of the pool holds. Its pointer alone, as a larger value would be put on the heap.
@unsafe private struct PlanJob: ParallelJob {
    let plan: UnsafePointer<PlanRun>

    var phaseCount: Int { unsafe plan.pointee.phases.count }

    func run(phase: Int, share: WorkShare) { unsafe plan.pointee.run(phase: phase, share: share) }
}
