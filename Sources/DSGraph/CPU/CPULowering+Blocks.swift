internal import DSKernels
internal import DSTensor

// Embeddings, matrix products, norms, rotations.
extension CPULowering {
    func embedding(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let ids = try builder.layout(of: node.inputs[0])
        let table = try weights.matrix(node.inputs[1], builder)
        let out = builder.place(node.outputs[0])
        let count = RowCount(builder.type(of: node.outputs[0]).dims[0])
        builder.append(reads: [ids.storage], writes: [out.storage], owns: .rows(count)) { [kernels] resolver in
            unsafe EmbeddingKernel(
                kernels: kernels, table: table, ids: resolver.operand(ids), target: resolver.operand(out), rows: count)
        }
    }

    /// An activation as a matrix product wants it.
    struct Activation {
        let layout: Layout
        /// Bytes between rows.
        let stride: Int
        let rows: RowCount
    }

    /// Converts rows to the format of `dtype`'s products; done once for all products of a plan that read the value.
    func activation(
        _ value: ValueID, for dtype: DType, _ builder: inout PlanBuilder
    ) throws(GraphError) -> Activation {
        let x = try rows(value, &builder)
        let format = kernels.activationFormat(for: dtype)
        guard format != .f32 else { return Activation(layout: x.layout, stride: x.stride * 4, rows: x.count) }
        guard x.columns.isMultiple(of: format.blockElements) else {
            throw .unsupported(
                op: "linear", backend: "cpu", reason: "rows of \(x.columns) for weights of \(dtype): not whole blocks")
        }
        let stride = format.rowBytes(x.columns)
        let storage = try builder.prepare(value, kind: "\(format)", byteCount: stride * x.bound, isActivation: true) {
            (builder, storage) throws(GraphError) in
            builder.append(
                reads: [x.layout.storage], writes: [storage], owns: .rows(x.count), label: "quantize"
            ) { [kernels] resolver in
                unsafe QuantizeKernel(
                    kernels: kernels, format: format, source: resolver.operand(x.layout), sourceStride: x.stride,
                    target: resolver.operand(storage), rows: x.count, columns: x.columns)
            }
        }
        return Activation(layout: Layout(storage: storage, offset: 0, strides: []), stride: stride, rows: x.count)
    }

    /// `activation(x·Wᵀ + b) + residual`; operands are those of the form, in order.
    func linear(
        _ form: LinearForm, _ x: ValueID, _ operands: [ValueID], _ result: ValueID, _ builder: inout PlanBuilder
    ) throws(GraphError) {
        let weight = try weights.product(operands[0], builder)
        let input = try activation(x, for: weight.dtype, &builder)
        let bias = unsafe form.bias ? try weights.vector(operands[1], builder) : nil
        var epilogue = Epilogue.store
        switch form.activation {
        case .silu: epilogue = .silu
        case .geluTanh: epilogue = .geluTanh
        case nil: break
        case let other?:
            throw .unsupported(op: "linear", backend: "cpu", reason: "no fused \(other.rawValue)")
        }
        let out: Layout
        if form.residual, let residual = operands.last {
            guard form.activation == nil else {
                throw .unsupported(op: "linear", backend: "cpu", reason: "activation and residual in one step")
            }
            epilogue = .add
            out = try accumulator(residual, result, apartFrom: input.layout.storage, &builder)
        } else {
            out = builder.place(result)
        }
        let reads = [input.layout.storage] + (form.residual ? [out.storage] : [])
        builder.append(reads: reads, writes: [out.storage], label: "linear") { [kernels] resolver in
            unsafe GemmKernel(
                kernels: kernels, weight: weight, up: nil, activations: resolver.operand(input.layout),
                activationStride: input.stride, target: resolver.operand(out), bias: bias, rows: input.rows,
                epilogue: epilogue)
        }
    }

    /// The place of a result that starts as the residual: the residual's own when it dies here, else a copy.
    private func accumulator(
        _ residual: ValueID, _ result: ValueID, apartFrom input: Storage, _ builder: inout PlanBuilder
    ) throws(GraphError) -> Layout {
        let layout = try builder.layout(of: residual)
        if layout.storage != input, builder.mayReplace(residual) {
            builder.place(result, at: layout)
            return layout
        }
        let out = builder.place(result)
        try copy(layout, builder.type(of: residual), to: out, &builder)
        return out
    }

    func linearGroup(_ forms: [LinearForm], _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        var next = 1
        for (form, output) in zip(forms, node.outputs) {
            let operands = Array(node.inputs[next..<next + form.operandCount])
            next += form.operandCount
            try linear(form, node.inputs[0], operands, output, &builder)
        }
    }

    func gateUpSwiGLU(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let (gate, up) = try weights.products(node.inputs[1], node.inputs[2], builder)
        let out = builder.place(node.outputs[0])
        if gate.dtype == up.dtype {
            let input = try activation(node.inputs[0], for: gate.dtype, &builder)
            builder.append(reads: [input.layout.storage], writes: [out.storage]) { [kernels] resolver in
                unsafe GemmKernel(
                    kernels: kernels, weight: gate, up: up, activations: resolver.operand(input.layout),
                    activationStride: input.stride, target: resolver.operand(out), bias: nil, rows: input.rows,
                    epilogue: .store)
            }
            return
        }
        // Two formats: two products, then the gate.
        let (count, bound, columns) = rowCount(builder.type(of: node.outputs[0]), builder.dims(of: node.outputs[0]))
        let second = Layout(
            storage: builder.newBuffer(byteCount: bound * columns * 4), offset: 0, strides: [columns, 1])
        for (weight, target) in [(gate, out), (up, second)] {
            let input = try activation(node.inputs[0], for: weight.dtype, &builder)
            builder.append(reads: [input.layout.storage], writes: [target.storage], label: "linear") {
                [kernels] resolver in
                unsafe GemmKernel(
                    kernels: kernels, weight: weight, up: nil, activations: resolver.operand(input.layout),
                    activationStride: input.stride, target: resolver.operand(target), bias: nil, rows: input.rows,
                    epilogue: .store)
            }
        }
        gated(out, second, count, columns, &builder)
    }

    func gated(_ gate: Layout, _ up: Layout, _ rows: RowCount, _ columns: Int, _ builder: inout PlanBuilder) {
        builder.append(
            reads: [gate.storage, up.storage], writes: [gate.storage], owns: .elements(rows, columns: columns),
            label: "gate"
        ) { [kernels] resolver in
            unsafe GatedKernel(
                kernels: kernels, gate: resolver.operand(gate), up: resolver.operand(up),
                target: resolver.operand(gate), rows: rows, columns: columns)
        }
    }

    func headLinear(_ transposed: Bool, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let (weight, headBytes) = try weights.heads(node.inputs[1], isTransposed: transposed, builder)
        let dims = builder.dims(of: node.inputs[0])
        var layout = try builder.layout(of: node.inputs[0])
        if layout.strides[2] != 1, dims[2] != 1 { layout = try dense(node.inputs[0], &builder) }
        var (stride, headStride) = (layout.strides[0] * 4, layout.strides[1] * 4)
        let format = transposed ? .f32 : kernels.activationFormat(for: weight.dtype)
        if format != .f32 {
            let rowBytes = format.rowBytes(dims[2])
            let prepared = try activation(node.inputs[0], for: weight.dtype, &builder)
            layout = prepared.layout
            (stride, headStride) = (rowBytes * dims[1], rowBytes)
        }
        let out = builder.placeJoined(node.outputs[0])
        let count = RowCount(builder.type(of: node.outputs[0]).dims[0])
        let source = layout
        let strides = (stride, headStride)
        // Heads are joined with their rotated parts.
        let rest = try builder.takeOtherParts(of: node.outputs[0]).map { value, place throws(GraphError) in
            CopyPart(source: try builder.layout(of: value), target: place, type: builder.type(of: value))
        }
        let copies = try unsafe copyList(rest, node, builder)
        builder.append(
            reads: [source.storage] + rest.map(\.source.storage), writes: [out.storage]
        ) { [kernels] resolver in
            unsafe HeadGemmKernel(
                kernels: kernels, transposed: transposed, weight: weight, headBytes: headBytes, headCount: dims[1],
                input: resolver.operand(source), inputStride: strides.0, inputHeadStride: strides.1,
                target: resolver.operand(out), targetStride: out.strides[0], targetHeadStride: out.strides[1],
                rows: count, rest: copies(resolver))
        }
    }

    func norm(_ epsilon: Float, bias: ValueID?, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let x = try rows(node.inputs[0], &builder)
        let scale = unsafe try weights.vector(node.inputs[1], builder)
        var offsets: UnsafePointer<Float>?
        if let bias { unsafe offsets = try weights.vector(bias, builder) }
        let out = try builder.placeJoined(node.outputs[0], over: node.inputs[0])
        let stride = out.strides.count > 1 ? out.strides[out.strides.count - 2] : x.columns
        let kind: NormKernel.Kind = bias == nil ? .rms : .layer
        builder.append(reads: [x.layout.storage], writes: [out.storage], owns: .rows(x.count)) {
            [kernels, offsets = unsafe offsets] resolver in
            unsafe NormKernel(
                kernels: kernels, kind: kind, source: resolver.operand(x.layout), sourceStride: x.stride, residual: nil,
                residualStride: 0, sum: nil, target: resolver.operand(out), targetStride: stride, weight: scale,
                bias: offsets, rows: x.count, columns: x.columns, epsilon: epsilon)
        }
    }

    func addRMSNorm(_ epsilon: Float, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let x = try rows(node.inputs[0], &builder)
        let residual = try rows(node.inputs[1], &builder)
        let scale = unsafe try weights.vector(node.inputs[2], builder)
        let apart = x.layout.storage != residual.layout.storage
        let sum: Layout
        if apart, builder.mayReplace(node.inputs[1]) {
            sum = try builder.place(node.outputs[0], over: node.inputs[1])
        } else if apart {
            sum = try builder.place(node.outputs[0], over: node.inputs[0])
        } else {
            sum = builder.place(node.outputs[0])
        }
        let out = builder.place(node.outputs[1])
        builder.append(
            reads: [x.layout.storage, residual.layout.storage], writes: [sum.storage, out.storage], owns: .rows(x.count)
        ) { [kernels] resolver in
            unsafe NormKernel(
                kernels: kernels, kind: .rms, source: resolver.operand(x.layout), sourceStride: x.stride,
                residual: resolver.operand(residual.layout), residualStride: residual.stride,
                sum: resolver.operand(sum), target: resolver.operand(out), targetStride: x.columns, weight: scale,
                bias: nil, rows: x.count, columns: x.columns, epsilon: epsilon)
        }
    }

    func rope(
        _ item: RopeItem, _ x: ValueID, _ positions: ValueID, _ result: ValueID, _ builder: inout PlanBuilder
    ) throws(GraphError) {
        let dims = builder.dims(of: x)
        var source = try builder.layout(of: x)
        if source.strides[dims.count - 1] != 1, dims[dims.count - 1] != 1 { source = try dense(x, &builder) }
        let place = try builder.layout(of: positions)
        let out = try builder.placeJoined(result, over: x)
        let count = RowCount(builder.type(of: x).dims[0])
        let heads = dims.count == 3 ? dims[1] : 1
        let width = dims[dims.count - 1]
        let headStride = dims.count == 3 ? source.strides[1] : width
        let outHeadStride = dims.count == 3 ? out.strides[1] : width
        let frequencies = unsafe builder.owner.keep(item.parameters.inverseFrequencies)
        let from = source
        builder.append(
            reads: [from.storage, place.storage], writes: [out.storage], owns: .rows(count), label: "rope"
        ) { [kernels] resolver in
            unsafe RopeKernel(
                kernels: kernels, source: resolver.operand(from), sourceStride: from.strides[0],
                sourceHeadStride: headStride, target: resolver.operand(out), targetStride: out.strides[0],
                targetHeadStride: outHeadStride, positions: resolver.operand(place),
                frequencies: frequencies, rows: count, headCount: heads, headDimension: width, offset: item.offset,
                rotaryCount: item.parameters.dimension,
                style: item.parameters.style == .interleaved ? .interleaved : .halfSplit,
                attentionFactor: item.parameters.attentionFactor)
        }
    }
}
