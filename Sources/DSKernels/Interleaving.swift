internal import CDSKernels
package import DSTensor

extension KernelSet {
    /// Whether products read weights of this format faster with sixteen rows side by side.
    package func canInterleave(_ dtype: DType, columns: Int) -> Bool {
        ck_can_interleave(tier.code, Int32(dtype.rawValue), Int64(columns)) != 0
    }

    /// Bytes of an interleaved matrix.
    package func interleavedByteCount(rows: Int, rowBytes: Int) -> Int {
        Int(ck_interleaved_bytes(Int64(rows), Int64(rowBytes)))
    }

    /// Copies a matrix to `out`, sixteen rows side by side; the workers share its rows.
    /// - Parameter out: `interleavedByteCount(rows:rowBytes:)` bytes, aligned to 64.
    package func interleave(_ weight: MatrixWeight, to out: UnsafeMutableRawPointer, share: WorkShare) {
        var cShare = unsafe share.cShare
        unsafe ck_interleave(
            Int32(weight.dtype.rawValue), weight.base.assumingMemoryBound(to: UInt8.self), Int64(weight.rowBytes),
            Int64(weight.rows), Int64(weight.columns), out.assumingMemoryBound(to: UInt8.self), &cShare)
    }

    /// The matrix whose interleaved copy is at `copy`.
    package func interleaved(_ weight: MatrixWeight, at copy: UnsafeRawPointer) -> MatrixWeight {
        unsafe MatrixWeight(
            base: copy, dtype: weight.dtype, rows: weight.rows, columns: weight.columns,
            rowBytes: Int(ck_interleaved_row_bytes(Int64(weight.rowBytes))), isInterleaved: true)
    }
}
