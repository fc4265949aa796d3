package import DSKernels

/// The work of one step: a value made of addresses and numbers. All workers call it, each does its share.
package protocol StepKernel {
    func run(_ context: UnsafePointer<RunContext>, share: WorkShare)
    /// What the step in `context` has to read and compute, for profiles.
    func work(_ context: UnsafePointer<RunContext>) -> StepWork
}

extension StepKernel {
    package func work(_ context: UnsafePointer<RunContext>) -> StepWork { StepWork() }
}

/// One entry of a plan. A class, so that a plan is an array of pointers that running neither copies nor retains.
@safe package class Step: @unchecked Sendable {
    // SAFETY: immutable; the addresses inside belong to the plan's owner objects and to the running context.

    /// `layers.0.attention/linear`.
    package let label: String

    init(label: String) { self.label = label }

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {}
    func work(_ context: UnsafePointer<RunContext>) -> StepWork { StepWork() }
}

final class KernelStep<Kernel: StepKernel>: Step, @unchecked Sendable {
    // SAFETY: as for Step.
    private let kernel: Kernel

    init(_ kernel: Kernel, label: String) {
        self.kernel = kernel
        super.init(label: label)
    }

    override func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernel.run(context, share: share)
    }

    override func work(_ context: UnsafePointer<RunContext>) -> StepWork { unsafe kernel.work(context) }
}
