internal import CDSKernels
package import DSTensor

/// Multipliers of rectangular blocks of a matrix (DeepSeek's FP8 checkpoints: `weight_scale_inv`).
@safe package struct BlockScales {
    /// [ceil(rows / blockRows), ceil(columns / blockColumns)]
    package let values: UnsafePointer<Float>
    package let blockRows: Int
    package let blockColumns: Int

    package init(values: UnsafePointer<Float>, blockRows: Int, blockColumns: Int) {
        precondition(blockRows > 0 && blockColumns > 0, "blocks of \(blockRows) × \(blockColumns)")
        unsafe self.values = unsafe values
        self.blockRows = blockRows
        self.blockColumns = blockColumns
    }
}

/// A weight matrix [rows, columns] in its storage format: mapped bytes, never a dequantised copy.
@safe package struct MatrixWeight {
    package let base: UnsafeRawPointer
    package let dtype: DType
    /// N, the output features.
    package let rows: Int
    /// K, the input features.
    package let columns: Int
    /// The distance between rows in bytes.
    package let rowBytes: Int
    package let blockScales: BlockScales?
    /// Whether sixteen rows lie side by side (`KernelSet.interleave`); `rowBytes` is then a sixteenth of such a tile.
    package let isInterleaved: Bool

    /// Rows that follow each other without gaps unless `rowBytes` says otherwise.
    package init(
        base: UnsafeRawPointer, dtype: DType, rows: Int, columns: Int, rowBytes: Int? = nil,
        blockScales: BlockScales? = nil, isInterleaved: Bool = false
    ) {
        let natural = dtype.rowBytes(columns)
        precondition(natural != nil, "\(dtype) rows of \(columns) columns")
        unsafe self.base = unsafe base
        self.dtype = dtype
        self.rows = rows
        self.columns = columns
        self.rowBytes = rowBytes ?? natural ?? 0
        self.blockScales = blockScales
        self.isInterleaved = isInterleaved
    }

    var cMatrix: ck_matrix {
        unsafe ck_matrix(
            data: base.assumingMemoryBound(to: UInt8.self), row_bytes: Int64(rowBytes),
            type: Int32(dtype.rawValue) + (isInterleaved ? Int32(CK_INTERLEAVED) : 0),
            n: Int32(rows), k: Int32(columns), scales: blockScales?.values,
            block_rows: Int32(blockScales?.blockRows ?? 1), block_columns: Int32(blockScales?.blockColumns ?? 1))
    }
}

/// The matrices of several experts, all of one shape and format: one contiguous stack or separate tensors.
@safe package struct WeightStack {
    /// The shape and format of each; its `base` is not used.
    package let prototype: MatrixWeight
    /// [experts] the first byte of each matrix.
    package let bases: UnsafePointer<UnsafePointer<UInt8>?>
    /// [experts] the block scales of each, if the format has them.
    package let scales: UnsafePointer<UnsafePointer<Float>?>?

    package init(
        prototype: MatrixWeight, bases: UnsafePointer<UnsafePointer<UInt8>?>,
        scales: UnsafePointer<UnsafePointer<Float>?>? = nil
    ) {
        self.prototype = prototype
        unsafe self.bases = unsafe bases
        unsafe self.scales = unsafe scales
    }
}
