internal import DSTensor

/// Collects the steps of one plan while a backend lowers the nodes of a graph for one bucket.
package struct PlanBuilder {
    package let graph: Graph
    package let bucket: DimBucket
    let owner = PlanOwner()
    private(set) var drafts: [StepDraft] = []
    /// Bytes of each arena buffer.
    private(set) var bufferBytes: [Int] = []
    private var layouts: [Layout?]
    private var lastUse: [Int]
    /// The value whose bytes a view reads.
    private let roots: [ValueID]
    private let producers: [Int?]
    /// Values prepared for matrix products, by what they are made from.
    private var prepared: [PreparationKey: Storage] = [:]
    package private(set) var sharedPreparations = 0
    private var position = 0
    /// Results that only a concatenation along the last axis reads: its node, and where they begin in a row of it.
    private let joins: [ValueID: (node: Int, start: Int)]
    private var joinedLayouts: [Int: Layout] = [:]
    /// Parts of concatenations that lie in their place already.
    private var joined: Set<ValueID> = []

    /// One step before memory is planned.
    struct StepDraft {
        let label: String
        let access: StepAccess
        let make: (AddressResolver) -> Step
    }

    private struct PreparationKey: Hashable {
        let value: ValueID
        let kind: String
    }

    init(graph: Graph, bucket: DimBucket) {
        self.graph = graph
        self.bucket = bucket
        layouts = [Layout?](repeating: nil, count: graph.types.count)
        producers = graph.producers()
        var roots = graph.types.indices.map(ValueID.init(index:))
        var lastUse = [Int](repeating: -1, count: graph.types.count)
        for (index, node) in graph.nodes.enumerated() {
            if node.op.isView, let source = node.inputs.first { roots[node.outputs[0].index] = roots[source.index] }
            for input in node.inputs { lastUse[roots[input.index].index] = index }
        }
        for output in graph.outputs { lastUse[roots[output.value.index].index] = Int.max }
        self.roots = roots
        self.lastUse = lastUse
        joins = Self.joins(graph)
    }

    private static func joins(_ graph: Graph) -> [ValueID: (node: Int, start: Int)] {
        var readers = [Int](repeating: 0, count: graph.types.count)
        for node in graph.nodes {
            for input in node.inputs { readers[input.index] += 1 }
        }
        for output in graph.outputs { readers[output.value.index] += 1 }
        var joins: [ValueID: (node: Int, start: Int)] = [:]
        for (index, node) in graph.nodes.enumerated() {
            guard case .concat(let axis) = node.op, axis == graph.type(of: node.outputs[0]).rank - 1 else { continue }
            var start = 0
            for input in node.inputs {
                if readers[input.index] == 1 { joins[input] = (index, start) }
                // The last axis is a symbol only in sums of vectors, which nobody places in parts.
                guard let width = graph.type(of: input).dims[axis].fixedSize else { break }
                start += width
            }
        }
        return joins
    }

    // MARK: Questions

    package func type(of value: ValueID) -> ValueType { graph.type(of: value) }

    /// Sizes with symbols at their bounds.
    package func dims(of value: ValueID) -> [Int] { type(of: value).dims.map { bucket.bounds.size(of: $0) } }

    package var hasPromptRows: Bool { bucket.bounds.promptTokens > 0 }

    /// Index of the weight that makes the value.
    package func weightIndex(of value: ValueID) -> Int? {
        guard let producer = producers[value.index], case .weight(let index) = graph.nodes[producer].op else {
            return nil
        }
        return index
    }

    package func constantIndex(of value: ValueID) -> Int? {
        guard let producer = producers[value.index], case .constant(let index) = graph.nodes[producer].op else {
            return nil
        }
        return index
    }

    package func layout(of value: ValueID) throws(GraphError) -> Layout {
        guard let layout = layouts[value.index] else {
            throw .planning("value \(value.index) is read before it has a place")
        }
        return layout
    }

    /// True when the node being lowered is the last to read the value and the value owns a whole dense buffer, so that the
    /// result may take its place.
    package func mayReplace(_ value: ValueID) -> Bool {
        guard lastUse[roots[value.index].index] == position, let layout = layouts[value.index],
            case .buffer(let index) = layout.storage, !layout.afterPromptRows, layout.offset == 0
        else { return false }
        let dims = dims(of: value)
        return layout.isDense(dims: dims, from: 0)
            && bufferBytes[index] == dims.reduce(type(of: value).dtype.blockBytes, *)
    }

    // MARK: Places

    package mutating func newBuffer(byteCount: Int) -> Storage {
        bufferBytes.append(byteCount)
        return .buffer(bufferBytes.count - 1)
    }

    /// A dense buffer for a result.
    package mutating func place(_ value: ValueID) -> Layout {
        let dims = dims(of: value)
        let storage = newBuffer(byteCount: dims.reduce(type(of: value).dtype.blockBytes, *))
        let layout = Layout(storage: storage, offset: 0, strides: Layout.denseStrides(dims))
        layouts[value.index] = layout
        return layout
    }

    /// A result in its part of the concatenation that alone reads it, with the distances of that one's rows; else in a
    /// buffer of its own. For steps that can write such rows.
    package mutating func placeJoined(_ value: ValueID) -> Layout {
        guard let (node, start) = joins[value] else { return place(value) }
        var layout = joinedLayout(node)
        layout.offset = start
        layouts[value.index] = layout
        joined.insert(value)
        return layout
    }

    /// A result in its part of a concatenation, else in the place of an operand that dies here, else in a buffer of its own.
    package mutating func placeJoined(_ value: ValueID, over operand: ValueID) throws(GraphError) -> Layout {
        joins[value] == nil ? try place(value, over: operand) : placeJoined(value)
    }

    /// Where a concatenation's result lies.
    private mutating func joinedLayout(_ node: Int) -> Layout {
        if let known = joinedLayouts[node] { return known }
        let layout = place(graph.nodes[node].outputs[0])
        joinedLayouts[node] = layout
        return layout
    }

    /// The place of the concatenation that is being lowered.
    mutating func placeConcatenation() -> Layout { joinedLayout(position) }

    /// The other parts of the concatenation that `value` is placed in, with their places in it; none unless all of them can
    /// be read by now. The step being lowered copies them.
    mutating func takeOtherParts(of value: ValueID) -> [(value: ValueID, place: Layout)] {
        guard let (node, _) = joins[value], joined.contains(value) else { return [] }
        var start = 0
        var parts: [(value: ValueID, place: Layout)] = []
        for input in graph.nodes[node].inputs {
            var place = joinedLayout(node)
            place.offset = start
            start += dims(of: input).last ?? 0
            guard !joined.contains(input) else { continue }
            guard layouts[input.index] != nil else { return [] }
            parts.append((input, place))
        }
        for part in parts { joined.insert(part.value) }
        return parts
    }

    func isJoined(_ value: ValueID) -> Bool { joined.contains(value) }

    /// A result that lies where another value lies.
    package mutating func place(_ value: ValueID, at layout: Layout) { layouts[value.index] = layout }

    /// A result that is another name of `other`'s bytes: both live as long as the longer one.
    package mutating func alias(_ value: ValueID, to other: ValueID) throws(GraphError) {
        layouts[value.index] = try layout(of: other)
        let (first, second) = (roots[value.index].index, roots[other.index].index)
        let last = max(lastUse[first], lastUse[second])
        (lastUse[first], lastUse[second]) = (last, last)
    }

    /// A result in the place of an operand that dies here, else in a buffer of its own.
    package mutating func place(_ value: ValueID, over operand: ValueID) throws(GraphError) -> Layout {
        guard type(of: operand) == type(of: value), mayReplace(operand) else { return place(value) }
        let layout = try layout(of: operand)
        layouts[value.index] = layout
        return layout
    }

    /// What `make` prepares from the value, made once per plan and shared by every reader.
    mutating func prepare(
        _ value: ValueID, kind: String, byteCount: Int, isActivation: Bool = false,
        make: (inout PlanBuilder, Storage) throws(GraphError) -> Void
    ) throws(GraphError) -> Storage {
        let key = PreparationKey(value: value, kind: kind)
        if let known = prepared[key] {
            if isActivation { sharedPreparations += 1 }
            return known
        }
        let storage = newBuffer(byteCount: byteCount)
        prepared[key] = storage
        try make(&self, storage)
        return storage
    }

    // MARK: Steps

    mutating func append(
        reads: [Storage], writes: [Storage], owns ownership: Ownership? = nil, label: String? = nil,
        make: @escaping (AddressResolver) -> any StepKernel
    ) {
        let node = graph.nodes[position]
        let scope = graph.scopes[node.scope]
        let name = (scope.isEmpty ? "" : scope + "/") + (label ?? node.op.name)
        drafts.append(
            StepDraft(label: name, access: StepAccess(reads: reads, writes: writes, ownership: ownership)) { resolver in
                Self.box(make(resolver), label: name)
            })
    }

    private static func box(_ kernel: some StepKernel, label: String) -> Step { KernelStep(kernel, label: label) }

    /// Lowers every node with `lower`; nodes whose results are all empty in this bucket make no step.
    mutating func lowerAll(
        _ lower: (Node, inout PlanBuilder) throws(GraphError) -> Void
    ) throws(GraphError) {
        for (index, node) in graph.nodes.enumerated() {
            position = index
            if placeLeaf(node) { continue }
            let isEmpty = node.outputs.allSatisfy { dims(of: $0).contains(0) && !graph.isState($0) }
            if isEmpty || hasNoRowsToWrite(node) {
                for (operand, output) in zip(node.inputs, node.outputs) where graph.isState(output) {
                    place(output, at: try layout(of: operand))
                }
                for output in node.outputs where layouts[output.index] == nil { _ = place(output) }
                continue
            }
            try lower(node, &self)
        }
    }

    private func hasNoRowsToWrite(_ node: Node) -> Bool {
        node.op.writesState && dims(of: node.inputs[1]).contains(0)
    }

    private mutating func placeLeaf(_ node: Node) -> Bool {
        let storage: Storage
        switch node.op {
        case .input(let index): storage = .input(index)
        case .weight(let index): storage = .weight(index)
        case .state(let index): storage = .state(index)
        case .constant(let index): storage = .constant(index)
        default: return false
        }
        for output in node.outputs {
            layouts[output.index] = Layout(storage: storage, offset: 0, strides: Layout.denseStrides(dims(of: output)))
        }
        return true
    }
}
