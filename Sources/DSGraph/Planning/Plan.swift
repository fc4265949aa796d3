/// A graph ready to run for one bucket: steps in order, barriers between them, memory.
@safe package final class Plan: @unchecked Sendable {
    // SAFETY: immutable after init; the pointer tables are freed in deinit only.

    package let bucket: DimBucket
    package let memory: MemoryPlan
    package let steps: [Step]
    /// Number of barriers that a run passes.
    package var barrierCount: Int { unsafe max(0, phases.count - 1) }
    /// Matrix products that found their activation already prepared.
    package let sharedPreparations: Int
    let outputs: [OutputPlace]
    private let owner: PlanOwner
    let table: UnsafeMutableBufferPointer<Unmanaged<Step>>
    /// The steps between two barriers.
    let phases: UnsafeMutableBufferPointer<Range<Int>>

    @unsafe struct OutputPlace {
        let layout: Layout
        let type: ValueType
        let operand: Operand
    }

    init(_ builder: PlanBuilder) throws(GraphError) {
        let schedule = StepSchedule(builder.drafts.map(\.access))
        memory = MemoryPlan(try Self.requests(builder, schedule))
        let resolver = AddressResolver(offsets: memory.offsets, graph: builder.graph)
        let steps = schedule.order.map { builder.drafts[$0].make(resolver) }
        unsafe table = .allocate(capacity: steps.count)
        var phases: [Range<Int>] = []
        for (index, step) in steps.enumerated() {
            unsafe table.initializeElement(at: index, to: .passUnretained(step))
            let follows =
                index > 0 && schedule.epochs[schedule.order[index]] == schedule.epochs[schedule.order[index - 1]]
            if follows, let last = phases.popLast() {
                phases.append(last.lowerBound..<index + 1)
            } else {
                phases.append(index..<index + 1)
            }
        }
        unsafe self.phases = .allocate(capacity: phases.count)
        _ = unsafe self.phases.initialize(from: phases)
        self.steps = steps
        bucket = builder.bucket
        owner = builder.owner
        sharedPreparations = builder.sharedPreparations
        var outputs: [OutputPlace] = unsafe []
        for output in builder.graph.outputs {
            let layout = try builder.layout(of: output.value)
            let type = builder.type(of: output.value)
            unsafe outputs.append(OutputPlace(layout: layout, type: type, operand: resolver.operand(layout)))
        }
        unsafe self.outputs = unsafe outputs
    }

    deinit {
        unsafe table.deallocate()
        unsafe phases.deallocate()
    }

    private static func requests(_ builder: PlanBuilder, _ schedule: StepSchedule) throws(GraphError) -> [BufferRequest]
    {
        let last = max(0, schedule.epochCount - 1)
        var first = [Int](repeating: Int.max, count: builder.bufferBytes.count)
        var final = [Int](repeating: -1, count: builder.bufferBytes.count)
        for (index, draft) in builder.drafts.enumerated() {
            for case .buffer(let buffer) in draft.access.reads + draft.access.writes {
                first[buffer] = min(first[buffer], schedule.epochs[index])
                final[buffer] = max(final[buffer], schedule.epochs[index])
            }
        }
        for output in builder.graph.outputs {
            if case .buffer(let buffer) = try builder.layout(of: output.value).storage {
                final[buffer] = last
                first[buffer] = min(first[buffer], last)
            }
        }
        return builder.bufferBytes.indices.map { buffer in
            let isUnused = final[buffer] < 0
            return BufferRequest(
                byteCount: isUnused ? 0 : builder.bufferBytes[buffer], firstEpoch: isUnused ? 0 : first[buffer],
                lastEpoch: isUnused ? 0 : final[buffer])
        }
    }
}
