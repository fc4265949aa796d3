/// Blocks as bytes: the model's states, then the drafter's.
extension GraphModelRunner {
    package var blockBytes: Int? { cacheBytes / blockCount }

    package var cacheIdentity: [UInt8] { ModelFingerprint.digest(graphs, backend: backend) }

    package func exportBlock(_ block: BlockID, into bytes: UnsafeMutableRawBufferPointer) {
        let rows = rows(of: block)
        let count = states.rowBytes * rows.count
        states.exportRows(rows, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
        draftModel?.states.exportRows(rows, into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
    }

    package func importBlock(_ block: BlockID, from bytes: UnsafeRawBufferPointer) {
        let rows = rows(of: block)
        let count = states.rowBytes * rows.count
        states.importRows(rows, from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        draftModel?.states.importRows(rows, from: UnsafeRawBufferPointer(rebasing: bytes[count...]))
    }

    private func rows(of block: BlockID) -> Range<Int> {
        let start = Int(block.rawValue) * blockSize
        return start..<start + blockSize
    }
}
