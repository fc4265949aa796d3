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

    /// The same for some rows, in the calling thread: from a multiple of sixteen to another one or the end.
    /// - Parameter out: where the copy of the whole matrix begins.
    package func interleave(_ weight: MatrixWeight, rows: Range<Int>, to out: UnsafeMutableRawPointer) {
        precondition(rows.lowerBound.isMultiple(of: 16), "rows \(rows) begin inside a tile")
        let endsTile = rows.upperBound.isMultiple(of: 16) || rows.upperBound == weight.rows
        precondition(endsTile, "rows \(rows) end inside a tile")
        guard !rows.isEmpty else { return }
        var all = unsafe ck_share(worker: 0, count: 1, scratch: nil, scratch_bytes: 0)
        let source = unsafe weight.base + rows.lowerBound * weight.rowBytes
        let target = unsafe out + interleavedByteCount(rows: rows.lowerBound, rowBytes: weight.rowBytes)
        unsafe ck_interleave(
            Int32(weight.dtype.rawValue), source.assumingMemoryBound(to: UInt8.self), Int64(weight.rowBytes),
            Int64(rows.count), Int64(weight.columns), target.assumingMemoryBound(to: UInt8.self), &all)
    }

    /// Whether products with interleaved weights of this format give the same bits as with rows. Those with BF16 add up even
    /// and odd columns apart.
    package func interleavingKeepsBits(_ dtype: DType) -> Bool { dtype.isBlockQuantized }

    /// The matrix whose interleaved copy is at `copy`.
    package func interleaved(_ weight: MatrixWeight, at copy: UnsafeRawPointer) -> MatrixWeight {
        unsafe MatrixWeight(
            base: copy, dtype: weight.dtype, rows: weight.rows, columns: weight.columns,
            rowBytes: Int(ck_interleaved_row_bytes(Int64(weight.rowBytes))), isInterleaved: true)
    }
}
