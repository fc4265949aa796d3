internal import DSKernels
internal import DSTensor

// Operations of any network.
extension CPULowering {
    func unary(_ function: UnaryFunction, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let x = try rows(node.inputs[0], &builder)
        let out = try builder.place(node.outputs[0], over: node.inputs[0])
        builder.append(reads: [x.layout.storage], writes: [out.storage], owns: .elements(x.count, columns: x.columns)) {
            [kernels] resolver in
            unsafe UnaryKernel(
                kernels: kernels, operation: function.operation, source: resolver.operand(x.layout),
                target: resolver.operand(out), rows: x.count, sourceStride: x.stride, columns: x.columns)
        }
    }

    func affine(_ scale: Float, _ offset: Float, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let x = try rows(node.inputs[0], &builder)
        let out = try builder.place(node.outputs[0], over: node.inputs[0])
        builder.append(reads: [x.layout.storage], writes: [out.storage]) { resolver in
            unsafe AffineKernel(
                source: resolver.operand(x.layout), target: resolver.operand(out), rows: x.count,
                sourceStride: x.stride, columns: x.columns, scale: scale, offset: offset)
        }
    }

    func binary(_ function: BinaryFunction, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let result = node.outputs[0]
        let left = try broadcast(node.inputs[0], to: result, &builder)
        let right = try broadcast(node.inputs[1], to: result, &builder)
        var out: Layout?
        for (operand, other) in [(0, 1), (1, 0)]
        where builder.type(of: node.inputs[operand]) == builder.type(of: result) {
            let mine = try builder.layout(of: node.inputs[operand])
            let its = try builder.layout(of: node.inputs[other])
            guard out == nil, builder.mayReplace(node.inputs[operand]), mine.storage != its.storage || mine == its
            else {
                continue
            }
            builder.place(result, at: mine)
            out = mine
        }
        let target = out ?? builder.place(result)
        let (count, _, columns) = rowCount(builder.type(of: result), builder.dims(of: result))
        builder.append(
            reads: [left.layout.storage, right.layout.storage], writes: [target.storage],
            owns: .elements(count, columns: columns)
        ) { [kernels] resolver in
            unsafe BinaryKernel(
                kernels: kernels, operation: function.operation, left: resolver.operand(left.layout),
                leftStride: left.stride, leftRepeats: left.repeats, right: resolver.operand(right.layout),
                rightStride: right.stride, rightRepeats: right.repeats, target: resolver.operand(target), rows: count,
                columns: columns)
        }
    }

    /// An operand read with the dimensions of the result.
    private func broadcast(
        _ value: ValueID, to result: ValueID, _ builder: inout PlanBuilder
    ) throws(GraphError) -> (layout: Layout, stride: Int, repeats: Bool) {
        let (type, target) = (builder.type(of: value), builder.type(of: result))
        let dims = builder.dims(of: result)
        var layout = try builder.layout(of: value)
        let shift = target.rank - type.rank
        layout.strides = target.dims.indices.map { axis in
            axis < shift || type.dims[axis - shift] != target.dims[axis] ? 0 : layout.strides[axis - shift]
        }
        if let stride = uniformStride(layout, dims) { return (layout, stride, false) }
        if let stride = uniformStride(layout, dims, elementStride: 0) { return (layout, stride, true) }
        let strides = Layout.denseStrides(dims)
        let storage = builder.newBuffer(byteCount: dims.reduce(4, *))
        let copied = Layout(storage: storage, offset: 0, strides: strides)
        try copy(layout, target, to: copied, &builder)
        return (copied, dims.last ?? 1, false)
    }

    func matmul(_ transposeB: Bool, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let (a, b) = (try builder.layout(of: node.inputs[0]), try builder.layout(of: node.inputs[1]))
        let (aType, result) = (builder.type(of: node.inputs[0]), builder.type(of: node.outputs[0]))
        let rank = result.rank
        guard unsafe rank <= StridedCopy.maximumRank else { throw unsupported(node, "rank \(rank)") }
        let out = builder.place(node.outputs[0])
        let bRank = b.strides.count
        let (bInner, bOuter) =
            transposeB ? (b.strides[bRank - 1], b.strides[bRank - 2]) : (b.strides[bRank - 2], b.strides[bRank - 1])
        let batch = bRank == 2 ? [Int](repeating: 0, count: rank - 2) : Array(b.strides.dropLast(2))
        builder.append(reads: [a.storage, b.storage], writes: [out.storage]) { resolver in
            unsafe MatmulKernel(
                a: resolver.operand(a), b: resolver.operand(b), out: resolver.operand(out),
                sizes: StridedSizes(result.dims), inner: RowCount(aType.dims[rank - 1]),
                aStrides: SIMD8(padding: a.strides.dropLast() + [0]), bStrides: SIMD8(padding: batch + [0, bOuter]),
                outStrides: SIMD8(padding: out.strides), aInner: a.strides[rank - 1], bInner: bInner)
        }
    }

    func softmax(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let x = try rows(node.inputs[0], &builder)
        let type = builder.type(of: node.inputs[0])
        let out = try builder.place(node.outputs[0], over: node.inputs[0])
        // A vector of symbolic length is one row here.
        let isVector = type.rank == 1
        let count = isVector ? RowCount(1) : x.count
        let columns = RowCount(type.dims[type.rank - 1])
        let stride = isVector ? builder.dims(of: node.inputs[0])[0] : x.stride
        let outStride = builder.dims(of: node.outputs[0]).last ?? 1
        builder.append(reads: [x.layout.storage], writes: [out.storage], owns: .rows(count)) { [kernels] resolver in
            unsafe SoftmaxKernel(
                kernels: kernels, source: resolver.operand(x.layout), target: resolver.operand(out), rows: count,
                sourceStride: stride, targetStride: outStride, columns: columns)
        }
    }

    func reduce(_ reduction: Reduction, _ axis: Int, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let x = try builder.layout(of: node.inputs[0])
        let (type, result) = (builder.type(of: node.inputs[0]), builder.type(of: node.outputs[0]))
        guard unsafe type.rank <= StridedCopy.maximumRank else { throw unsupported(node, "rank \(type.rank)") }
        let out = builder.place(node.outputs[0])
        var strides = x.strides
        strides.remove(at: axis)
        builder.append(reads: [x.storage], writes: [out.storage]) { resolver in
            unsafe ReduceKernel(
                source: resolver.operand(x), target: resolver.operand(out), sizes: StridedSizes(result.dims),
                length: RowCount(type.dims[axis]), sourceStrides: SIMD8(padding: strides),
                targetStrides: SIMD8(padding: out.strides), lineStride: x.strides[axis], reduction: reduction)
        }
    }

    func concat(_ axis: Int, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let out = builder.placeConcatenation()
        var start = 0
        var parts: [CopyPart] = []
        for input in node.inputs {
            var target = out
            target.offset += start * out.strides[axis]
            start += builder.dims(of: input)[axis]
            guard !builder.isJoined(input) else { continue }
            parts.append(CopyPart(source: try builder.layout(of: input), target: target, type: builder.type(of: input)))
        }
        if !parts.isEmpty { try copyParts(parts, node, &builder) }
    }

    func joinRows(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        for (part, other) in [(0, 1), (1, 0)] where builder.dims(of: node.inputs[other]).contains(0) {
            try builder.alias(node.outputs[0], to: node.inputs[part])
            return
        }
        let out = builder.place(node.outputs[0])
        var after = out
        after.afterPromptRows = true
        try copyParts(
            [
                CopyPart(
                    source: try builder.layout(of: node.inputs[0]), target: out, type: builder.type(of: node.inputs[0])),
                CopyPart(
                    source: try builder.layout(of: node.inputs[1]), target: after,
                    type: builder.type(of: node.inputs[1])),
            ], node, &builder)
    }

    struct CopyPart {
        let source: Layout
        let target: Layout
        let type: ValueType
    }

    /// Copies into parts of one buffer that do not overlap, in one step.
    private func copyParts(_ parts: [CopyPart], _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let list = try unsafe copyList(parts, node, builder)
        builder.append(
            reads: parts.map(\.source.storage), writes: parts.map(\.target.storage)
        ) { resolver in unsafe list(resolver) }
    }

    func copyList(
        _ parts: [CopyPart], _ node: Node, _ builder: PlanBuilder
    ) throws(GraphError) -> (AddressResolver) -> CopyList {
        for part in parts where unsafe part.type.rank > StridedCopy.maximumRank || part.type.dtype.blockBytes != 4 {
            throw unsupported(node, "rank or element size of \(part.type)")
        }
        let owner = builder.owner
        return { resolver in
            let copies = unsafe parts.map { part in
                unsafe StridedCopy(
                    source: resolver.operand(part.source), target: resolver.operand(part.target), type: part.type,
                    sourceStrides: part.source.strides, targetStrides: part.target.strides)
            }
            return unsafe CopyList(copies: owner.keep(copies), count: copies.count)
        }
    }

    func convert(_ dtype: DType, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        guard dtype == .f32, builder.weightIndex(of: node.inputs[0]) != nil else {
            throw unsupported(node, "only weights convert, and only to f32")
        }
        let type = builder.type(of: node.inputs[0])
        let out = builder.place(node.outputs[0])
        if type.rank == 1 {
            let vector = unsafe try weights.vector(node.inputs[0], builder)
            let columns = builder.dims(of: node.outputs[0])[0]
            builder.append(reads: [], writes: [out.storage]) { [kernels] resolver in
                unsafe UnaryKernel(
                    kernels: kernels, operation: .copy,
                    source: Operand(
                        base: .fixed(UnsafeMutableRawPointer(mutating: vector)), byteOffset: 0, promptRowBytes: 0),
                    target: resolver.operand(out), rows: RowCount(1), sourceStride: columns, columns: columns)
            }
            return
        }
        let matrix = try weights.matrix(node.inputs[0], builder)
        let count = RowCount(.fixed(matrix.rows))
        builder.append(reads: [], writes: [out.storage]) { [kernels] resolver in
            unsafe EmbeddingKernel(
                kernels: kernels, table: matrix, ids: nil, target: resolver.operand(out), rows: count)
        }
    }

    func gatherRows(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let type = builder.type(of: node.inputs[0])
        let source = try builder.layout(of: node.inputs[0])
        guard type.dtype.blockBytes == 4, let columns = type.rowElements else {
            throw unsupported(node, "rows of \(type)")
        }
        let x =
            source.rowStride(dims: builder.dims(of: node.inputs[0])) == nil
            ? try dense(node.inputs[0], &builder) : source
        let ids = try builder.layout(of: node.inputs[1])
        let out = builder.place(node.outputs[0])
        let rows = RowCount(builder.type(of: node.outputs[0]).dims[0])
        builder.append(reads: [x.storage, ids.storage], writes: [out.storage]) { [kernels] resolver in
            unsafe GatherRowsKernel(
                kernels: kernels, source: resolver.operand(x), sourceStride: x.strides[0], ids: resolver.operand(ids),
                target: resolver.operand(out), rows: rows, columns: columns)
        }
    }

    func denseAttention(_ scale: Float, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        var layouts: [Layout] = []
        for input in node.inputs {
            let layout = try builder.layout(of: input)
            let isDense = layout.isDense(dims: builder.dims(of: input), from: 0)
            layouts.append(isDense ? layout : try dense(input, &builder))
        }
        let (q, k) = (builder.type(of: node.inputs[0]), builder.type(of: node.inputs[1]))
        let rank = q.rank
        let (qDims, kDims, vDims) = (
            builder.dims(of: node.inputs[0]), builder.dims(of: node.inputs[1]), builder.dims(of: node.inputs[2])
        )
        guard q.dims.dropLast(2).allSatisfy({ $0.fixedSize != nil }) else {
            throw unsupported(node, "symbolic batches")
        }
        let batches = qDims.dropLast(2).reduce(1, *)
        let out = builder.place(node.outputs[0])
        builder.append(reads: layouts.map(\.storage), writes: [out.storage]) { [layouts] resolver in
            unsafe DenseAttentionKernel(
                q: resolver.operand(layouts[0]), k: resolver.operand(layouts[1]), v: resolver.operand(layouts[2]),
                out: resolver.operand(out), rows: RowCount(q.dims[rank - 2], times: batches),
                batchRows: RowCount(q.dims[rank - 2]), keys: RowCount(k.dims[rank - 2]), keyBound: kDims[rank - 2],
                queryBound: qDims[rank - 2], keyColumns: qDims[rank - 1], valueColumns: vDims[rank - 1], scale: scale)
        }
    }
}

extension UnaryFunction {
    var operation: UnaryOperation {
        switch self {
        case .silu: .silu
        case .gelu: .gelu
        case .geluTanh: .geluTanh
        case .sigmoid: .sigmoid
        case .tanh: .tanh
        case .relu: .relu
        case .exp: .exp
        case .sqrt: .sqrt
        case .reciprocalSqrt: .reciprocalSqrt
        case .negate: .negate
        case .absolute: .absolute
        case .log: .log
        }
    }
}

extension BinaryFunction {
    var operation: BinaryOperation {
        switch self {
        case .add: .add
        case .subtract: .subtract
        case .multiply: .multiply
        case .divide: .divide
        case .maximum: .maximum
        case .minimum: .minimum
        }
    }
}
