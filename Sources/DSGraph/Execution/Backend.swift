/// A processor that can hold buffers and run plans.
package struct Device: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case cpu, gpu }

    package let index: Int
    package let kind: Kind
    package let name: String
    /// Threads or multiprocessors that share each step.
    package let workerCount: Int

    package init(index: Int, kind: Kind, name: String, workerCount: Int) {
        self.index = index
        self.kind = kind
        self.name = name
        self.workerCount = workerCount
    }
}

/// The devices of a backend and which of them reach each other's memory.
package struct Topology: Hashable, Sendable {
    package let devices: [Device]
    /// Pairs of device indices with a direct path.
    package let links: Set<[Int]>

    package init(devices: [Device], links: Set<[Int]> = []) {
        self.devices = devices
        self.links = links
    }
}

/// Memory of a device, zeroed, aligned to 64 bytes.
package protocol DeviceBuffer: AnyObject, Sendable {
    var byteCount: Int { get }
    /// The address that this device's kernels use.
    var address: UnsafeMutableRawPointer { get }
}

/// An ordered queue of plan runs on one device.
package protocol ExecutionStream: AnyObject {
    func submit(_ plan: Plan, _ context: UnsafePointer<RunContext>, profile: StepProfile?)
    /// Returns when everything submitted has finished.
    func synchronize()
}

/// The hardware layer: devices, buffers, kernels, streams and topology behind one protocol. No model names a backend.
package protocol Backend: AnyObject, Sendable {
    var name: String { get }
    var topology: Topology { get }
    func makeBuffer(byteCount: Int, device: Int) throws(GraphError) -> any DeviceBuffer
    func makeStream(device: Int) -> any ExecutionStream
    /// Gives the weights of a graph to the device, once; plans of the graph share the result.
    /// - Parameter reservedBytes: memory that the caller is going to use beside them.
    func bind(_ graph: Graph, reservedBytes: Int) throws(GraphError) -> any BoundWeights
    /// Copies of weights are worth making before a step in which each meets so many rows; nil: they gain rows of prompts
    /// too little.
    var rowsWorthCopies: Int? { get }
    /// Chooses kernels: turns a node into steps.
    func lower(_ node: Node, weights: any BoundWeights, into builder: inout PlanBuilder) throws(GraphError)
}

/// A graph's weights as one backend's kernels want them.
package protocol BoundWeights: AnyObject, Sendable {
    /// What the user should know about how the weights lie in memory.
    var note: String? { get }
    /// How far copies in a layout that is read faster have come. Results do not depend on it.
    var copies: CopyProgress { get }
    /// Makes copies for about `time` (`nil`: all that are left). Not while a plan runs.
    /// - Returns: whether plans lowered from now on read copies that earlier ones do not.
    func copy(for time: Duration?) -> Bool
}

/// Bytes of copies of weights.
package struct CopyProgress: Sendable, Equatable {
    package var made: Int
    package var total: Int

    package init(made: Int = 0, total: Int = 0) {
        self.made = made
        self.total = total
    }

    package var isComplete: Bool { made == total }

    package static func + (one: CopyProgress, other: CopyProgress) -> CopyProgress {
        CopyProgress(made: one.made + other.made, total: one.total + other.total)
    }
}
