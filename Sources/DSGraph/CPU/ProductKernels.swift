internal import DSKernels
internal import DSTensor

// Steps around matrix products.

struct StateType {
    let dtype: DType
    let width: Int

    var rowBytes: Int? { dtype.rowBytes(width) }
}

@unsafe struct GemmKernel: StepKernel {
    let kernels: KernelSet
    let weight: MatrixWeight
    let up: MatrixWeight?
    let activations: Operand
    let activationStride: Int
    let target: Operand
    let bias: UnsafePointer<Float>?
    let rows: RowCount
    let epilogue: Epilogue

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.gemm(
            GemmArguments(
                weight: weight, up: up, activations: activations.address(context), activationStride: activationStride,
                out: target.floats(context), bias: bias, rowCount: rows(context), epilogue: epilogue), share: share)
    }

    func work(_ context: UnsafePointer<RunContext>) -> StepWork {
        let matrices = unsafe up == nil ? 1 : 2
        return unsafe StepWork(weight, matrices: matrices, rows: matrices * rows(context))
    }
}

@unsafe struct GroupedGemmKernel: StepKernel {
    let kernels: KernelSet
    let weight: WeightStack
    let up: WeightStack?
    let expertCount: Int
    let offsets: Operand
    let slots: Operand
    let inputDivisor: Int
    let activations: Operand
    let activationStride: Int
    let target: Operand
    /// Tokens times choices.
    let rows: RowCount

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.gemmGrouped(
            GroupedGemmArguments(
                weight: weight, up: up, expertCount: expertCount, offsets: offsets.integers(context),
                slots: slots.integers(context), inputDivisor: inputDivisor, activations: activations.address(context),
                activationStride: activationStride, out: target.floats(context), rowCount: rows(context)),
            share: share)
    }

    func work(_ context: UnsafePointer<RunContext>) -> StepWork {
        let first = unsafe offsets.integers(context)
        let matrices = unsafe up == nil ? 1 : 2
        let used = unsafe (0..<expertCount).count { unsafe first[$0 + 1] > first[$0] }
        return unsafe StepWork(weight.prototype, matrices: matrices * used, rows: matrices * rows(context))
    }
}

@unsafe struct HeadGemmKernel: StepKernel {
    let kernels: KernelSet
    let transposed: Bool
    let weight: MatrixWeight
    let headBytes: Int
    let headCount: Int
    let input: Operand
    /// In bytes.
    let inputStride: Int
    let inputHeadStride: Int
    let target: Operand
    let targetStride: Int
    let targetHeadStride: Int
    let rows: RowCount
    /// Values that the results are joined with.
    let rest: CopyList

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        let arguments = unsafe HeadGemmArguments(
            weight: weight, headBytes: headBytes, headCount: headCount, input: input.address(context),
            inputStride: inputStride, inputHeadStride: inputHeadStride, out: target.floats(context),
            outStride: targetStride, outHeadStride: targetHeadStride, rowCount: rows(context))
        if unsafe transposed {
            unsafe kernels.headGemmTransposed(arguments, share: share)
        } else {
            unsafe kernels.headGemm(arguments, share: share)
        }
        unsafe rest.run(context, share: share)
    }

    func work(_ context: UnsafePointer<RunContext>) -> StepWork {
        unsafe StepWork(weight, matrices: headCount, rows: headCount * rows(context))
    }
}

@unsafe struct RouteKernel: StepKernel {
    let kernels: KernelSet
    let logits: Operand
    let logitsStride: Int
    let bias: UnsafePointer<Float>?
    let ids: Operand
    let weights: Operand
    let rows: RowCount
    let expertCount: Int
    let topK: Int
    let scoring: RoutingScore
    let groupScore: GroupScore
    let groupCount: Int
    let topGroups: Int
    let normalizes: Bool
    let scale: Float

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.route(
            RouteArguments(
                logits: logits.floats(context), logitsStride: logitsStride, bias: bias, ids: ids.integers(context),
                weights: weights.floats(context), rowCount: rows(context), expertCount: expertCount, topK: topK,
                scoring: scoring, groupScore: groupScore, groupCount: groupCount, topGroups: topGroups,
                normalizes: normalizes, scale: scale), share: share)
    }
}

@unsafe struct GroupByExpertKernel: StepKernel {
    let kernels: KernelSet
    let ids: Operand
    let offsets: Operand
    let slots: Operand
    let slotCount: RowCount
    let expertCount: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.groupByExpert(
            GroupByExpertArguments(
                ids: ids.integers(context), offsets: offsets.integers(context), slots: slots.integers(context),
                slotCount: slotCount(context), expertCount: expertCount), share: share)
    }
}

@unsafe struct GatedKernel: StepKernel {
    let kernels: KernelSet
    let gate: Operand
    let up: Operand
    let target: Operand
    let rows: RowCount
    let columns: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.gated(
            GatedArguments(
                gate: gate.floats(context), up: up.floats(context), out: target.floats(context),
                rowCount: rows(context), columns: columns), share: share)
    }
}

@unsafe struct CombineKernel: StepKernel {
    let kernels: KernelSet
    let input: Operand
    let weights: Operand
    let base: Operand?
    let baseStride: Int
    let target: Operand
    let rows: RowCount
    let topK: Int
    let columns: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.combine(
            CombineArguments(
                input: input.floats(context), weights: weights.floats(context), base: base?.floats(context),
                baseStride: baseStride, out: target.floats(context), rowCount: rows(context), topK: topK,
                columns: columns), share: share)
    }
}

/// Paged attention, or attention over gathered rows when `contiguous`.
@unsafe struct AttentionKernel: StepKernel {
    let kernels: KernelSet
    let queries: Operand
    let queryStride: Int
    let keys: Operand
    let keyRowBytes: Int
    let values: Operand
    let valueRowBytes: Int
    let cacheType: DType
    let target: Operand
    let rows: TokenRows
    let contiguous: Bool
    let headCount: Int
    let kvHeads: Int
    let keyDimension: Int
    let valueDimension: Int
    let scale: Float
    let window: Int?
    let sharing: Sharing?

    /// How workers share decoded rows.
    @unsafe struct Sharing {
        let itemCount: Int
        let partials: Operand
        let arrivals: UnsafeMutablePointer<Int32>
    }

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        let paged = unsafe context.pointee.sequences(of: rows)
        guard var sequences = paged.baseAddress, paged.count > 0 else { return }
        if unsafe contiguous {
            guard let gathered = unsafe context.pointee.contextSequences else { return }
            unsafe sequences = UnsafePointer(gathered)
        }
        // Sequences count rows of the whole step; decode operands start after the prompt rows.
        let skipped = unsafe rows == .decode ? context.pointee.sizes.promptTokens : 0
        let outStride = unsafe headCount * valueDimension
        let decodedFrom = unsafe rows == .all ? context.pointee.promptSequenceCount : rows == .decode ? 0 : paged.count
        let workspace = unsafe sharing.map { sharing in
            unsafe AttentionWorkspace(
                itemCount: sharing.itemCount, partials: sharing.partials.floats(context), arrivals: sharing.arrivals)
        }
        unsafe kernels.attention(
            AttentionArguments(
                queries: queries.floats(context) - skipped * queryStride, queryStride: queryStride,
                keys: keys.address(context), keyRowBytes: keyRowBytes, values: values.address(context),
                valueRowBytes: valueRowBytes, cacheType: cacheType,
                out: target.floats(context) - skipped * outStride, outStride: outStride, sequences: sequences,
                sequenceCount: paged.count, headCount: headCount, kvHeadCount: kvHeads, keyDimension: keyDimension,
                valueDimension: valueDimension, blockSize: context.pointee.blockSize, scale: scale, window: window,
                decodedFrom: decodedFrom, workspace: workspace),
            share: share)
    }

    func work(_ context: UnsafePointer<RunContext>) -> StepWork {
        var (keyRows, pairs) = (0, 0)
        let sequences = unsafe context.pointee.sequences(of: rows)
        for index in sequences.indices {
            let (count, length) = unsafe (Int(sequences[index].queryCount), Int(sequences[index].contextLength))
            keyRows += unsafe min(length, window.map { $0 + count - 1 } ?? length)
            for query in 0..<count {
                let seen = length - count + query + 1
                pairs += unsafe min(seen, window ?? seen)
            }
        }
        let shared = unsafe keys.address(context) == values.address(context)
        let rowBytes = unsafe keyRowBytes + (shared ? 0 : valueRowBytes)
        let perPair = unsafe 2 * headCount * (keyDimension + valueDimension)
        return StepWork(bytes: Double(keyRows) * Double(rowBytes), operations: Double(pairs) * Double(perPair))
    }
}
