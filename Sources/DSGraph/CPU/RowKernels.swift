internal import DSKernels

// Steps over rows: each binds addresses and row counts and calls one kernel.

@unsafe struct UnaryKernel: StepKernel {
    let kernels: KernelSet
    let operation: UnaryOperation
    let source: Operand
    let target: Operand
    let rows: RowCount
    let sourceStride: Int
    let columns: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.unary(
            UnaryArguments(
                operation: operation, input: source.floats(context), inputStride: sourceStride,
                out: target.floats(context), rowCount: rows(context), columns: columns), share: share)
    }
}

@unsafe struct BinaryKernel: StepKernel {
    let kernels: KernelSet
    let operation: BinaryOperation
    let left: Operand
    let leftStride: Int
    let leftRepeats: Bool
    let right: Operand
    let rightStride: Int
    let rightRepeats: Bool
    let target: Operand
    let rows: RowCount
    let columns: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.binary(
            BinaryArguments(
                operation: operation,
                left: BinaryOperand(left.floats(context), stride: leftStride, repeatsAlongRow: leftRepeats),
                right: BinaryOperand(right.floats(context), stride: rightStride, repeatsAlongRow: rightRepeats),
                out: target.floats(context), rowCount: rows(context), columns: columns), share: share)
    }
}

@unsafe struct SoftmaxKernel: StepKernel {
    let kernels: KernelSet
    let source: Operand
    let target: Operand
    let rows: RowCount
    let sourceStride: Int
    let targetStride: Int
    let columns: RowCount

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.softmaxRows(
            SoftmaxArguments(
                input: source.floats(context), inputStride: sourceStride, out: target.floats(context),
                outStride: targetStride, rowCount: rows(context), columns: columns(context)), share: share)
    }
}

@unsafe struct CopyList: StepKernel {
    let copies: UnsafeMutablePointer<StridedCopy>
    let count: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        for index in unsafe 0..<count { unsafe copies[index].run(context, share: share) }
    }
}

@unsafe struct GatherRowsKernel: StepKernel {
    let kernels: KernelSet
    let source: Operand
    let sourceStride: Int
    let ids: Operand
    let target: Operand
    let rows: RowCount
    let columns: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.copyRows(
            CopyRowsArguments(
                input: source.floats(context), inputStride: sourceStride, inputRows: ids.integers(context),
                out: target.floats(context), rowCount: rows(context), columns: columns), share: share)
    }
}

@unsafe struct EmbeddingKernel: StepKernel {
    let kernels: KernelSet
    let table: MatrixWeight
    let ids: Operand?
    let target: Operand
    let rows: RowCount

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.embeddingRows(
            EmbeddingArguments(
                table: table, ids: ids?.integers(context), out: target.floats(context), rowCount: rows(context)),
            share: share)
    }
}

/// Context rows of the cache as floats, by slot.
@unsafe struct GatherContextKernel: StepKernel {
    let kernels: KernelSet
    let state: Operand
    let dtype: StateType
    let slots: Operand
    let target: Operand
    let rows: RowCount

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        // The cache's capacity is the caller's affair: slots come from its own block tables.
        let table = unsafe MatrixWeight(
            base: state.address(context), dtype: dtype.dtype, rows: Int(Int32.max), columns: dtype.width)
        unsafe kernels.embeddingRows(
            EmbeddingArguments(
                table: table, ids: slots.integers(context), out: target.floats(context), rowCount: rows(context)),
            share: share)
    }
}

/// Cache rows of every context position of the prompt sequences, in order.
@unsafe struct ContextSlotsKernel: StepKernel {
    let target: Operand

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        let slots = unsafe target.integers(context)
        let blockSize = unsafe context.pointee.blockSize
        var next = 0
        let sequences = unsafe context.pointee.sequences(of: .prompt)
        for index in 0..<sequences.count {
            let sequence = unsafe sequences[index]
            let length = Int(sequence.contextLength)
            guard let blocks = unsafe sequence.blocks else { continue }
            for position in share.range(of: length) {
                let (block, row) = position.quotientAndRemainder(dividingBy: blockSize)
                unsafe slots[next + position] = blocks[block] * Int32(blockSize) + Int32(row)
            }
            next += length
        }
    }
}

@unsafe struct KVWriteKernel: StepKernel {
    let kernels: KernelSet
    let source: Operand
    let sourceStride: Int
    let slots: Operand
    let state: Operand
    let dtype: StateType
    let rows: RowCount

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.kvWrite(
            KVWriteArguments(
                rows: source.floats(context), rowStride: sourceStride, slots: slots.integers(context),
                cache: state.address(context), dtype: dtype.dtype, rowCount: rows(context), columns: dtype.width),
            share: share)
    }
}

@unsafe struct QuantizeKernel: StepKernel {
    let kernels: KernelSet
    let format: ActivationFormat
    let source: Operand
    let sourceStride: Int
    let target: Operand
    let rows: RowCount
    let columns: Int

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.quantizeRows(
            QuantizeRowsArguments(
                input: source.floats(context), inputStride: sourceStride, output: target.address(context),
                rowCount: rows(context), columns: columns, format: format), share: share)
    }
}

@unsafe struct NormKernel: StepKernel {
    enum Kind { case rms, layer }

    let kernels: KernelSet
    let kind: Kind
    let source: Operand
    let sourceStride: Int
    /// Added first, with the place of the sum.
    let residual: Operand?
    let residualStride: Int
    let sum: Operand?
    let target: Operand
    let targetStride: Int
    let weight: UnsafePointer<Float>
    let bias: UnsafePointer<Float>?
    let rows: RowCount
    let columns: Int
    let epsilon: Float

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        let arguments = unsafe NormArguments(
            input: source.floats(context), inputStride: sourceStride, residual: residual?.floats(context),
            residualStride: residualStride, sum: sum?.floats(context), out: target.floats(context),
            outStride: targetStride,
            weight: weight, bias: bias, rowCount: rows(context), columns: columns, epsilon: epsilon)
        switch unsafe kind {
        case .rms: unsafe kernels.rmsNorm(arguments, share: share)
        case .layer: unsafe kernels.layerNorm(arguments, share: share)
        }
    }
}

@unsafe struct RopeKernel: StepKernel {
    let kernels: KernelSet
    let source: Operand
    let sourceStride: Int
    let sourceHeadStride: Int
    let target: Operand
    let targetStride: Int
    let targetHeadStride: Int
    let positions: Operand
    let frequencies: UnsafePointer<Float>
    let rows: RowCount
    let headCount: Int
    let headDimension: Int
    let offset: Int
    let rotaryCount: Int
    let style: RopeStyle
    let attentionFactor: Float

    func run(_ context: UnsafePointer<RunContext>, share: WorkShare) {
        unsafe kernels.rope(
            RopeArguments(
                input: source.floats(context), inputStride: sourceStride, inputHeadStride: sourceHeadStride,
                out: target.floats(context), outStride: targetStride, outHeadStride: targetHeadStride,
                positions: positions.integers(context), frequencies: frequencies,
                rowCount: rows(context), headCount: headCount, headDimension: headDimension, rotaryOffset: offset,
                rotaryCount: rotaryCount, style: style, attentionFactor: attentionFactor), share: share)
    }
}
