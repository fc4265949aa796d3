internal import CDSKernels
package import DSTensor

/// out[i] = row ids[i] of `table` as Float32 (embeddings; with `ids` nil a conversion of the first rows).
@safe package struct EmbeddingArguments {
    /// [rows, columns] in any format.
    package var table: MatrixWeight
    /// [rowCount] or nil for 0..<rowCount. A row of NaN stands for an id outside the table.
    package var ids: UnsafePointer<Int32>?
    package var out: UnsafeMutablePointer<Float>
    package var outStride: Int
    package var rowCount: Int

    package init(
        table: MatrixWeight, ids: UnsafePointer<Int32>?, out: UnsafeMutablePointer<Float>, outStride: Int? = nil,
        rowCount: Int
    ) {
        self.table = table
        unsafe self.ids = unsafe ids
        unsafe self.out = unsafe out
        self.outStride = outStride ?? table.columns
        self.rowCount = rowCount
    }
}

/// out[outRows[i]] = input[inputRows[i]] for Float32 rows; nil stands for i. Gathers, scatters and re-strides.
@safe package struct CopyRowsArguments {
    package var input: UnsafePointer<Float>
    package var inputStride: Int
    package var inputRows: UnsafePointer<Int32>?
    package var out: UnsafeMutablePointer<Float>
    package var outStride: Int
    package var outRows: UnsafePointer<Int32>?
    package var rowCount: Int
    package var columns: Int

    package init(
        input: UnsafePointer<Float>, inputStride: Int? = nil, inputRows: UnsafePointer<Int32>? = nil,
        out: UnsafeMutablePointer<Float>, outStride: Int? = nil, outRows: UnsafePointer<Int32>? = nil, rowCount: Int,
        columns: Int
    ) {
        unsafe self.input = unsafe input
        self.inputStride = inputStride ?? columns
        unsafe self.inputRows = unsafe inputRows
        unsafe self.out = unsafe out
        self.outStride = outStride ?? columns
        unsafe self.outRows = unsafe outRows
        self.rowCount = rowCount
        self.columns = columns
    }
}

/// Float32 rows stored into cache row slots[i]; a negative slot is skipped. A row of Q8_0 is a whole number of blocks.
@safe package struct KVWriteArguments {
    package var rows: UnsafePointer<Float>
    package var rowStride: Int
    /// [rowCount] or nil for 0..<rowCount.
    package var slots: UnsafePointer<Int32>?
    /// [slots, cacheRowBytes]
    package var cache: UnsafeMutableRawPointer
    package var cacheRowBytes: Int
    /// F32, F16, BF16 or Q8_0.
    package var dtype: DType
    package var rowCount: Int
    package var columns: Int

    package init(
        rows: UnsafePointer<Float>, rowStride: Int? = nil, slots: UnsafePointer<Int32>?,
        cache: UnsafeMutableRawPointer, cacheRowBytes: Int? = nil, dtype: DType, rowCount: Int, columns: Int
    ) {
        precondition(KVWriteArguments.supports(dtype), "cache of \(dtype)")
        guard let rowBytes = dtype.rowBytes(columns) else { preconditionFailure("rows of \(columns) in \(dtype)") }
        unsafe self.rows = unsafe rows
        self.rowStride = rowStride ?? columns
        unsafe self.slots = unsafe slots
        unsafe self.cache = unsafe cache
        self.cacheRowBytes = cacheRowBytes ?? rowBytes
        self.dtype = dtype
        self.rowCount = rowCount
        self.columns = columns
    }

    package static func supports(_ dtype: DType) -> Bool { [.f32, .f16, .bf16, .q8_0].contains(dtype) }
}

extension KernelSet {
    package func embeddingRows(_ arguments: EmbeddingArguments, share: WorkShare) {
        let matrix = unsafe arguments.table.cMatrix
        var args = unsafe ck_gather_args(
            table: matrix.data, row_bytes: matrix.row_bytes, ids: arguments.ids, out: arguments.out,
            out_stride: Int64(arguments.outStride), scales: matrix.scales, block_rows: matrix.block_rows,
            block_columns: matrix.block_columns, type: matrix.type, rows: Int32(arguments.rowCount), n: matrix.k,
            table_rows: matrix.n)
        var cShare = unsafe share.cShare
        unsafe ck_gather_rows(&args, &cShare)
    }

    package func copyRows(_ arguments: CopyRowsArguments, share: WorkShare) {
        var args = unsafe ck_copy_args(
            x: arguments.input, out: arguments.out, x_rows: arguments.inputRows, out_rows: arguments.outRows,
            x_stride: Int64(arguments.inputStride), out_stride: Int64(arguments.outStride),
            rows: Int32(arguments.rowCount), n: Int32(arguments.columns))
        var cShare = unsafe share.cShare
        unsafe ck_copy_rows(&args, &cShare)
    }

    package func kvWrite(_ arguments: KVWriteArguments, share: WorkShare) {
        var args = unsafe ck_store_rows_args(
            x: arguments.rows, x_stride: Int64(arguments.rowStride),
            out: arguments.cache.assumingMemoryBound(to: UInt8.self), out_row_bytes: Int64(arguments.cacheRowBytes),
            slots: arguments.slots, rows: Int32(arguments.rowCount), n: Int32(arguments.columns),
            type: Int32(arguments.dtype.rawValue))
        var cShare = unsafe share.cShare
        unsafe table.functions.store_rows(&args, &cShare)
    }
}
