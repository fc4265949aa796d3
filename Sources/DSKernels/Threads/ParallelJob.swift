/// Work in phases, each in as many parts as its pool has threads.
///
/// Parts of a phase run at the same time; a phase begins when the one before it is complete. A thread takes the same
/// part of every phase as long as it is there in time; a part whose thread is late is computed by another one, so nothing
/// may depend on who computes it.
///
/// Adopters are plain values of three words at most: counting references would make the threads wait for each other, and
/// larger ones are put on the heap.
package protocol ParallelJob: BitwiseCopyable {
    var phaseCount: Int { get }
    /// Computes part `share.worker` of `share.count`.
    func run(phase: Int, share: WorkShare)
}

/// One phase of a closure, which the caller holds.
@unsafe struct ClosureJob: ParallelJob {
    final class Body {
        let run: (WorkShare) -> Void

        init(_ run: @escaping (WorkShare) -> Void) { self.run = run }
    }

    let body: Unmanaged<Body>

    var phaseCount: Int { 1 }

    func run(phase: Int, share: WorkShare) { unsafe body._withUnsafeGuaranteedRef { $0.run(share) } }
}
