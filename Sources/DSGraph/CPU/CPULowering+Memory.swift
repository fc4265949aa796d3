internal import DSKernels
internal import DSTensor

// Routing, experts, state and attention.
extension CPULowering {
    func route(_ parameters: RoutingParameters, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        guard parameters.expertCount <= Self.mostExperts else {
            throw unsupported(node, "\(parameters.expertCount) experts")
        }
        let logits = try rows(node.inputs[0], &builder)
        var bias: UnsafePointer<Float>?
        if node.inputs.count > 1 { unsafe bias = try weights.vector(node.inputs[1], builder) }
        let ids = builder.place(node.outputs[0])
        let scores = builder.place(node.outputs[1])
        let scoring: RoutingScore =
            switch parameters.scoring {
            case .softmax: .softmax
            case .sigmoid: .sigmoid
            case .sqrtSoftplus: .sqrtSoftplus
            }
        builder.append(
            reads: [logits.layout.storage], writes: [ids.storage, scores.storage], owns: .rows(logits.count)
        ) { [kernels, bias = unsafe bias] resolver in
            unsafe RouteKernel(
                kernels: kernels, logits: resolver.operand(logits.layout), logitsStride: logits.stride, bias: bias,
                ids: resolver.operand(ids), weights: resolver.operand(scores), rows: logits.count,
                expertCount: parameters.expertCount, topK: parameters.topK, scoring: scoring,
                groupScore: parameters.groupScore == .max ? .max : .sumOfTop2, groupCount: parameters.groupCount,
                topGroups: parameters.topGroups, normalizes: parameters.normalize, scale: parameters.scale)
        }
    }

    /// Limits of the kernels.
    private static let mostExperts = 4096
    private static let widestHead = 1024

    /// What the products of one mixture-of-experts layer share.
    private struct ExpertRows {
        let offsets: Storage
        let slots: Storage
        let expertCount: Int
        let topK: Int
        /// Tokens times choices.
        let count: RowCount
        let bound: Int
    }

    func experts(addsBase: Bool, _ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let (x, ids, scores) = (node.inputs[0], node.inputs[1], node.inputs[2])
        let (gate, up) = try weights.stacks(node.inputs[3], node.inputs[4], builder)
        let down = try weights.stack(node.inputs[5], builder)
        let group = try groupByExpert(ids, expertCount: builder.dims(of: node.inputs[3])[0], &builder)
        let width = builder.dims(of: node.inputs[3])[1]
        let hidden = Layout(
            storage: builder.newBuffer(byteCount: group.bound * width * 4), offset: 0, strides: [width, 1])
        if gate.prototype.dtype == up.prototype.dtype {
            let input = try activation(x, for: gate.prototype.dtype, &builder)
            product(gate, up: up, group, input, divisor: group.topK, to: hidden, &builder)
        } else {
            let second = Layout(
                storage: builder.newBuffer(byteCount: group.bound * width * 4), offset: 0, strides: [width, 1])
            for (stack, target) in [(gate, hidden), (up, second)] {
                let input = try activation(x, for: stack.prototype.dtype, &builder)
                product(stack, up: nil, group, input, divisor: group.topK, to: target, &builder)
            }
            gated(hidden, second, group.count, width, &builder)
        }
        let inner = try prepare(hidden, width, group, for: down.prototype.dtype, &builder)
        let columns = builder.dims(of: node.outputs[0])[1]
        let results = Layout(
            storage: builder.newBuffer(byteCount: group.bound * columns * 4), offset: 0, strides: [columns, 1])
        product(down, up: nil, group, inner, divisor: 1, to: results, &builder)
        try combine(results, group, scores, base: addsBase ? node.inputs[6] : nil, node.outputs[0], &builder)
    }

    private func groupByExpert(
        _ ids: ValueID, expertCount: Int, _ builder: inout PlanBuilder
    ) throws(GraphError) -> ExpertRows {
        let dims = builder.dims(of: ids)
        let count = RowCount(builder.type(of: ids).dims[0], times: dims[1])
        let source = try builder.layout(of: ids)
        let offsets = builder.newBuffer(byteCount: (expertCount + 1) * 4)
        let slots = builder.newBuffer(byteCount: dims[0] * dims[1] * 4)
        builder.append(reads: [source.storage], writes: [offsets, slots], label: "group") { [kernels] resolver in
            unsafe GroupByExpertKernel(
                kernels: kernels, ids: resolver.operand(source), offsets: resolver.operand(offsets),
                slots: resolver.operand(slots), slotCount: count, expertCount: expertCount)
        }
        return ExpertRows(
            offsets: offsets, slots: slots, expertCount: expertCount, topK: dims[1], count: count,
            bound: dims[0] * dims[1])
    }

    private func product(
        _ stack: WeightStack, up: WeightStack?, _ group: ExpertRows, _ input: Activation, divisor: Int,
        to target: Layout, _ builder: inout PlanBuilder
    ) {
        builder.append(
            reads: [input.layout.storage, group.offsets, group.slots], writes: [target.storage], label: "experts"
        ) { [kernels] resolver in
            unsafe GroupedGemmKernel(
                kernels: kernels, weight: stack, up: up, expertCount: group.expertCount,
                offsets: resolver.operand(group.offsets), slots: resolver.operand(group.slots), inputDivisor: divisor,
                activations: resolver.operand(input.layout), activationStride: input.stride,
                target: resolver.operand(target), rows: group.count)
        }
    }

    /// The experts' hidden rows in the format of the down projection.
    private func prepare(
        _ hidden: Layout, _ width: Int, _ group: ExpertRows, for dtype: DType, _ builder: inout PlanBuilder
    ) throws(GraphError) -> Activation {
        let format = kernels.activationFormat(for: dtype)
        guard format != .f32 else { return Activation(layout: hidden, stride: width * 4, rows: group.count) }
        guard width.isMultiple(of: format.blockElements) else {
            throw .unsupported(
                op: "experts", backend: "cpu", reason: "rows of \(width) for weights of \(dtype): not whole blocks")
        }
        let stride = format.rowBytes(width)
        let storage = builder.newBuffer(byteCount: stride * group.bound)
        builder.append(reads: [hidden.storage], writes: [storage], owns: .rows(group.count), label: "quantize") {
            [kernels] resolver in
            unsafe QuantizeKernel(
                kernels: kernels, format: format, source: resolver.operand(hidden), sourceStride: width,
                target: resolver.operand(storage), rows: group.count, columns: width)
        }
        return Activation(layout: Layout(storage: storage, offset: 0, strides: []), stride: stride, rows: group.count)
    }

    private func combine(
        _ results: Layout, _ group: ExpertRows, _ scores: ValueID, base: ValueID?, _ output: ValueID,
        _ builder: inout PlanBuilder
    ) throws(GraphError) {
        let weights = try builder.layout(of: scores)
        var start: Rows?
        if let base { start = try rows(base, &builder) }
        let out =
            try base.map { (value) throws(GraphError) in try builder.place(output, over: value) }
            ?? builder.place(output)
        let dims = builder.dims(of: output)
        let count = RowCount(builder.type(of: output).dims[0])
        let added = start
        let reads = [results.storage, weights.storage] + (added.map { [$0.layout.storage] } ?? [])
        builder.append(reads: reads, writes: [out.storage], label: "combine") { [kernels] resolver in
            unsafe CombineKernel(
                kernels: kernels, input: resolver.operand(results), weights: resolver.operand(weights),
                base: added.map { unsafe resolver.operand($0.layout) }, baseStride: added?.stride ?? 0,
                target: resolver.operand(out), rows: count, topK: group.topK, columns: dims[1])
        }
    }

    // MARK: State

    private func stateType(_ state: ValueID, _ builder: PlanBuilder) -> StateType {
        StateType(dtype: builder.type(of: state).dtype, width: builder.dims(of: state)[1])
    }

    func kvWrite(
        _ state: ValueID, _ rows: ValueID, _ slots: ValueID, _ result: ValueID, _ builder: inout PlanBuilder
    ) throws(GraphError) {
        let place = try builder.layout(of: state)
        let type = stateType(state, builder)
        guard KVWriteArguments.supports(type.dtype), type.rowBytes != nil else {
            throw .unsupported(op: "kvWrite", backend: "cpu", reason: "a cache of \(type.dtype)")
        }
        var source = try builder.layout(of: rows)
        if source.rowStride(dims: builder.dims(of: rows)) == nil { source = try dense(rows, &builder) }
        let ids = try builder.layout(of: slots)
        let count = RowCount(builder.type(of: rows).dims[0])
        builder.place(result, at: place)
        let from = source
        builder.append(
            reads: [from.storage, ids.storage], writes: [place.storage], owns: .rows(count), label: "kvWrite"
        ) { [kernels] resolver in
            unsafe KVWriteKernel(
                kernels: kernels, source: resolver.operand(from), sourceStride: from.strides[0],
                slots: resolver.operand(ids), state: resolver.operand(place), dtype: type, rows: count)
        }
    }

    func gatherContext(_ node: Node, _ builder: inout PlanBuilder) throws(GraphError) {
        let state = try builder.layout(of: node.inputs[0])
        let type = stateType(node.inputs[0], builder)
        let bound = builder.bucket.bounds.contextRows
        // The slots are those of the step, whatever the layer: keyed by the first value, one buffer for all layers.
        let slots = try builder.prepare(ValueID(index: 0), kind: "contextSlots", byteCount: bound * 4) {
            (builder, storage) throws(GraphError) in
            builder.append(reads: [], writes: [storage], label: "contextSlots") { resolver in
                unsafe ContextSlotsKernel(target: resolver.operand(storage))
            }
        }
        let out = builder.place(node.outputs[0])
        let count = RowCount(.contextRows)
        builder.append(reads: [state.storage, slots], writes: [out.storage]) { [kernels] resolver in
            unsafe GatherContextKernel(
                kernels: kernels, state: resolver.operand(state), dtype: type, slots: resolver.operand(slots),
                target: resolver.operand(out), rows: count)
        }
    }

    // MARK: Attention

    /// Queries, keys or values whose heads are dense inside a row.
    private func headRows(_ value: ValueID, _ builder: inout PlanBuilder) throws(GraphError) -> Layout {
        let layout = try builder.layout(of: value)
        return layout.isDense(dims: builder.dims(of: value), from: 1) ? layout : try dense(value, &builder)
    }

    private func checkHeads(_ node: Node, _ keyDimension: Int, _ valueDimension: Int) throws(GraphError) {
        guard max(keyDimension, valueDimension) <= Self.widestHead else {
            throw unsupported(node, "heads of \(keyDimension) and \(valueDimension), above \(Self.widestHead)")
        }
    }

    func attention(
        _ parameters: AttentionParameters, _ rows: TokenRows, _ valueDimension: Int, _ node: Node,
        _ builder: inout PlanBuilder
    ) throws(GraphError) {
        let queries = try headRows(node.inputs[0], &builder)
        let dims = builder.dims(of: node.inputs[0])
        let keys = try builder.layout(of: node.inputs[1])
        let type = stateType(node.inputs[1], builder)
        let valueState = node.inputs.count > 2 ? node.inputs[2] : node.inputs[1]
        let values = try builder.layout(of: valueState)
        let valueType = stateType(valueState, builder)
        guard type.dtype == valueType.dtype else { throw unsupported(node, "keys and values of two types") }
        guard KVWriteArguments.supports(type.dtype), let keyRowBytes = type.rowBytes,
            let valueRowBytes = valueType.rowBytes
        else { throw unsupported(node, "a cache of \(type.dtype)") }
        guard [dims[2], valueDimension].allSatisfy({ type.dtype.rowBytes($0) != nil }) else {
            throw unsupported(node, "heads of \(dims[2]) and \(valueDimension) in a cache of \(type.dtype)")
        }
        try checkHeads(node, dims[2], valueDimension)
        let out = builder.place(node.outputs[0])
        // A few rows are shared by all workers; more give each worker rows of its own.
        let items = rows == .prompt ? 0 : 2 * workerCount
        let floats = unsafe AttentionWorkspace.floatCount(items: items, valueDimension: valueDimension)
        let partials = Layout(storage: builder.newBuffer(byteCount: max(1, floats) * 4), offset: 0, strides: [])
        let arrivals = unsafe builder.owner.keep([Int32](repeating: 0, count: items))
        builder.append(
            reads: [queries.storage, keys.storage, values.storage], writes: [out.storage, partials.storage]
        ) { [kernels, arrivals = unsafe arrivals] resolver in
            unsafe AttentionKernel(
                kernels: kernels, queries: resolver.operand(queries), queryStride: queries.strides[0],
                keys: resolver.operand(keys), keyRowBytes: keyRowBytes, values: resolver.operand(values),
                valueRowBytes: valueRowBytes,
                cacheType: type.dtype, target: resolver.operand(out), rows: rows, contiguous: false,
                headCount: dims[1], kvHeads: parameters.kvHeads, keyDimension: dims[2],
                valueDimension: valueDimension, scale: parameters.scale, window: parameters.window,
                sharing: items == 0
                    ? nil : .init(itemCount: items, partials: resolver.operand(partials), arrivals: arrivals))
        }
    }

    func attentionContiguous(
        _ parameters: AttentionParameters, _ node: Node, _ builder: inout PlanBuilder
    ) throws(GraphError) {
        let queries = try headRows(node.inputs[0], &builder)
        let keys = try headRows(node.inputs[1], &builder)
        let values = try headRows(node.inputs[2], &builder)
        let dims = builder.dims(of: node.inputs[0])
        let valueDimension = builder.dims(of: node.inputs[2])[2]
        try checkHeads(node, dims[2], valueDimension)
        let out = builder.place(node.outputs[0])
        builder.append(
            reads: [queries.storage, keys.storage, values.storage], writes: [out.storage]
        ) { [kernels] resolver in
            unsafe AttentionKernel(
                kernels: kernels, queries: resolver.operand(queries), queryStride: queries.strides[0],
                keys: resolver.operand(keys), keyRowBytes: keys.strides[0] * 4, values: resolver.operand(values),
                valueRowBytes: values.strides[0] * 4, cacheType: .f32, target: resolver.operand(out), rows: .prompt,
                contiguous: true, headCount: dims[1], kvHeads: parameters.kvHeads, keyDimension: dims[2],
                valueDimension: valueDimension, scale: parameters.scale, window: parameters.window, sharing: nil)
        }
    }
}
