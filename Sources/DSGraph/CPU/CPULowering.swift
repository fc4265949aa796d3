internal import DSKernels
internal import DSTensor

/// Chooses host kernels for nodes.
struct CPULowering {
    let kernels: KernelSet
    let weights: CPUWeights
    /// Workers that share every step.
    let workerCount: Int

    func lower(_ node: Node, into builder: inout PlanBuilder) throws(GraphError) {
        switch node.op {
        case .input, .weight, .state, .constant: return
        case .reshape, .slice, .transpose, .expand, .rows: try view(node, &builder)
        case .unary(let function): try unary(function, node, &builder)
        case .affine(let scale, let offset): try affine(scale, offset, node, &builder)
        case .binary(let function): try binary(function, node, &builder)
        case .matmul(let transposeB): try matmul(transposeB, node, &builder)
        case .softmax: try softmax(node, &builder)
        case .reduce(let reduction, let axis): try reduce(reduction, axis, node, &builder)
        case .concat(let axis): try concat(axis, node, &builder)
        case .joinRows: try joinRows(node, &builder)
        case .convert(let dtype): try convert(dtype, node, &builder)
        case .gatherRows: try gatherRows(node, &builder)
        case .denseAttention(let scale): try denseAttention(scale, node, &builder)
        case .embedding: try embedding(node, &builder)
        case .linear(let form):
            try linear(form, node.inputs[0], Array(node.inputs.dropFirst()), node.outputs[0], &builder)
        case .linearGroup(let forms): try linearGroup(forms, node, &builder)
        case .gateUpSwiGLU: try gateUpSwiGLU(node, &builder)
        case .headLinear(let transposed): try headLinear(transposed, node, &builder)
        case .rmsNorm(let epsilon): try norm(epsilon, bias: nil, node, &builder)
        case .layerNorm(let epsilon): try norm(epsilon, bias: node.inputs[2], node, &builder)
        case .addRMSNorm(let epsilon): try addRMSNorm(epsilon, node, &builder)
        case .rope(let parameters, let offset):
            let item = RopeItem(parameters: parameters, offset: offset)
            try rope(item, node.inputs[0], node.inputs[1], node.outputs[0], &builder)
        case .ropeGroup(let items):
            for (index, item) in items.enumerated() {
                try rope(item, node.inputs[2 * index], node.inputs[2 * index + 1], node.outputs[index], &builder)
            }
        case .route(let parameters): try route(parameters, node, &builder)
        case .experts(let addsBase): try experts(addsBase: addsBase, node, &builder)
        case .kvWrite: try kvWrite(node.inputs[0], node.inputs[1], node.inputs[2], node.outputs[0], &builder)
        case .kvWriteGroup(let count):
            for index in 0..<count {
                try kvWrite(
                    node.inputs[2 * index], node.inputs[2 * index + 1], node.inputs[2 * count], node.outputs[index],
                    &builder)
            }
        case .gatherContext: try gatherContext(node, &builder)
        case .attention(let parameters, let rows, let valueDimension):
            try attention(parameters, rows, valueDimension, node, &builder)
        case .attentionContiguous(let parameters): try attentionContiguous(parameters, node, &builder)
        }
    }

    func unsupported(_ node: Node, _ reason: String) -> GraphError {
        .unsupported(op: node.op.name, backend: "cpu", reason: reason)
    }

    // MARK: Reading values

    /// A value as rows of floats at one distance.
    struct Rows {
        let layout: Layout
        let count: RowCount
        /// The most rows of any step of the bucket.
        let bound: Int
        /// Elements between rows.
        let stride: Int
        let columns: Int
    }

    /// Row counts of a value whose leading dimensions are flattened; symbols inside count with their bounds.
    func rowCount(_ type: ValueType, _ dims: [Int]) -> (count: RowCount, bound: Int, columns: Int) {
        switch type.rank {
        case 0: return (RowCount(1), 1, 1)
        case 1:
            if let size = type.dims[0].fixedSize { return (RowCount(1), 1, size) }
            return (RowCount(type.dims[0]), dims[0], 1)
        default:
            let middle = dims[1..<dims.count - 1].reduce(1, *)
            return (RowCount(type.dims[0], times: middle), dims[0] * middle, dims[dims.count - 1])
        }
    }

    /// Distance between flattened rows, when there is one distance and the elements of a row are neighbours.
    func uniformStride(_ layout: Layout, _ dims: [Int], elementStride: Int = 1) -> Int? {
        guard let last = dims.last else { return 1 }
        guard last == 1 || layout.strides[dims.count - 1] == elementStride else { return nil }
        guard dims.count > 1 else { return dims.count == 1 ? layout.strides[0] * last : 1 }
        var stride: Int?
        var span = 0
        for axis in (0..<dims.count - 1).reversed() where dims[axis] != 1 {
            if stride == nil { stride = layout.strides[axis] } else if layout.strides[axis] != span { return nil }
            span = layout.strides[axis] * dims[axis]
        }
        return stride ?? layout.strides[dims.count - 2]
    }

    /// The value's rows, copied to dense memory first when its strides allow no other reading.
    func rows(_ value: ValueID, _ builder: inout PlanBuilder) throws(GraphError) -> Rows {
        let (type, dims) = (builder.type(of: value), builder.dims(of: value))
        let (count, bound, columns) = rowCount(type, dims)
        let layout = try builder.layout(of: value)
        if type.rank == 1, type.dims[0].fixedSize == nil {
            let direct = layout.strides[0] == 1 ? layout : try dense(value, &builder)
            return Rows(layout: direct, count: count, bound: bound, stride: 1, columns: 1)
        }
        if let stride = uniformStride(layout, dims) {
            return Rows(layout: layout, count: count, bound: bound, stride: stride, columns: columns)
        }
        return Rows(layout: try dense(value, &builder), count: count, bound: bound, stride: columns, columns: columns)
    }

    /// A dense copy of the value, made once per plan.
    func dense(_ value: ValueID, _ builder: inout PlanBuilder) throws(GraphError) -> Layout {
        let (type, dims) = (builder.type(of: value), builder.dims(of: value))
        let source = try builder.layout(of: value)
        guard type.dtype.blockBytes == 4 else {
            throw .unsupported(op: "copy", backend: "cpu", reason: "expected elements of 4 bytes, found \(type.dtype)")
        }
        let strides = Layout.denseStrides(dims)
        let storage = try builder.prepare(value, kind: "dense", byteCount: dims.reduce(4, *)) {
            (builder, storage) throws(GraphError) in
            let target = Layout(storage: storage, offset: 0, strides: strides)
            try copy(source, type, to: target, &builder)
        }
        return Layout(storage: storage, offset: 0, strides: strides)
    }

    func copy(
        _ source: Layout, _ type: ValueType, to target: Layout, _ builder: inout PlanBuilder
    ) throws(GraphError) {
        guard unsafe type.rank <= StridedCopy.maximumRank, type.dtype.blockBytes == 4 else {
            throw .unsupported(op: "copy", backend: "cpu", reason: "rank or element size of \(type)")
        }
        builder.append(reads: [source.storage], writes: [target.storage], label: "copy") { resolver in
            unsafe StridedCopy(
                source: resolver.operand(source), target: resolver.operand(target), type: type,
                sourceStrides: source.strides, targetStrides: target.strides)
        }
    }

    // MARK: Views

    private func view(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let (source, result) = (node.inputs[0], node.outputs[0])
        let layout = try builder.layout(of: source)
        let (from, to) = (builder.dims(of: source), builder.dims(of: result))
        let hasPromptRows = builder.hasPromptRows
        if let view = layout.view(node.op, from: from, to: to, hasPromptRows: hasPromptRows) {
            builder.place(result, at: view)
            return
        }
        let copy = try dense(source, &builder)
        guard let view = copy.view(node.op, from: from, to: to, hasPromptRows: hasPromptRows) else {
            throw unsupported(node, "\(builder.type(of: source)) cannot be read as \(builder.type(of: result))")
        }
        builder.place(result, at: view)
    }
}
