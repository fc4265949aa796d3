internal import CDSKernels

/// Products with one small matrix per attention head (MLA's absorbed projections).
@safe package struct HeadGemmArguments {
    /// The matrix of head 0: [N, K] for `headGemm`, [K, N] for `headGemmTransposed`.
    package var weight: MatrixWeight
    /// Bytes from one head's matrix to the next.
    package var headBytes: Int
    package var headCount: Int
    /// [rowCount, headCount, K]: for `headGemm` in the weight's activation format, else Float32.
    package var input: UnsafeRawPointer
    /// Bytes between rows (tokens) and between heads.
    package var inputStride: Int
    package var inputHeadStride: Int
    /// [rowCount, headCount, N], strides in floats.
    package var out: UnsafeMutablePointer<Float>
    package var outStride: Int
    package var outHeadStride: Int
    package var rowCount: Int

    package init(
        weight: MatrixWeight, headBytes: Int, headCount: Int, input: UnsafeRawPointer, inputStride: Int,
        inputHeadStride: Int, out: UnsafeMutablePointer<Float>, outStride: Int, outHeadStride: Int, rowCount: Int
    ) {
        self.weight = weight
        self.headBytes = headBytes
        self.headCount = headCount
        unsafe self.input = unsafe input
        self.inputStride = inputStride
        self.inputHeadStride = inputHeadStride
        unsafe self.out = unsafe out
        self.outStride = outStride
        self.outHeadStride = outHeadStride
        self.rowCount = rowCount
    }
}

extension KernelSet {
    /// out[t, h, n] = Σ_k x[t, h, k] * weight[h, n, k]. Workers share the heads' tiles of sixteen rows. Block scales are
    /// not per head here: expand such weights first.
    package func headGemm(_ arguments: HeadGemmArguments, share: WorkShare) {
        let serial = unsafe WorkShare(worker: 0, count: 1, scratch: share.scratch)
        let weight = arguments.weight
        let tiles = (weight.rows + 15) / 16
        let mine = share.range(of: arguments.headCount * tiles)
        var tile = mine.lowerBound
        while tile < mine.upperBound {
            let head = tile / tiles
            let count = min((head + 1) * tiles, mine.upperBound) - tile
            let row = (tile - head * tiles) * 16
            unsafe gemm(
                GemmArguments(
                    weight: MatrixWeight(
                        base: weight.base + head * arguments.headBytes + row * weight.rowBytes, dtype: weight.dtype,
                        rows: min(count * 16, weight.rows - row), columns: weight.columns, rowBytes: weight.rowBytes,
                        isInterleaved: weight.isInterleaved),
                    activations: arguments.input + head * arguments.inputHeadStride,
                    activationStride: arguments.inputStride,
                    out: arguments.out + head * arguments.outHeadStride + row, outStride: arguments.outStride,
                    rowCount: arguments.rowCount),
                share: serial)
            tile += count
        }
    }

    /// out[t, h, n] = Σ_k x[t, h, k] * weight[h, k, n]: a product with the transpose of what is stored, so that MLA's
    /// key up-projection can be absorbed without a transposed copy. Input is Float32.
    package func headGemmTransposed(_ arguments: HeadGemmArguments, share: WorkShare) {
        let weight = arguments.weight
        var matrix = unsafe weight.cMatrix
        unsafe matrix.n = Int32(weight.columns)
        unsafe matrix.k = Int32(weight.rows)
        var args = unsafe ck_head_transposed_args(
            weight: matrix, head_bytes: Int64(arguments.headBytes),
            x: arguments.input.assumingMemoryBound(to: Float.self), x_stride: Int64(arguments.inputStride / 4),
            x_head_stride: Int64(arguments.inputHeadStride / 4), out: arguments.out,
            out_stride: Int64(arguments.outStride), out_head_stride: Int64(arguments.outHeadStride),
            rows: Int32(arguments.rowCount), heads: Int32(arguments.headCount))
        var cShare = unsafe share.cShare
        unsafe table.functions.head_transposed(&args, &cShare)
    }
}
