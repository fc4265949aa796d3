internal import DSKernels
internal import DSSupport

/// Copies of matrices with sixteen rows interleaved, made piece by piece between runs of plans.
@safe final class InterleavedCopies {
    /// A weight that gets a copy.
    struct Source {
        let index: Int
        let byteCount: Int
        /// The matrices as they are mapped.
        let matrices: [MatrixWeight]
    }

    /// Bytes that all workers together copy at a time: a millisecond or a few where pages are fresh.
    private static let pieceBytes = 4 << 20
    /// Bytes after which is asked again whether there is memory for the rest.
    private static let checkBytes = 64 << 20

    private(set) var progress: CopyProgress
    /// Bytes that stay as they are mapped, because memory became short.
    private(set) var abandonedBytes = 0
    private let sources: [Source]
    private let memory: AnonymousMemory
    private let reservedBytes: Int
    private let kernels: KernelSet
    private let pool: ThreadPool
    /// The piece that comes next: of this source, of this matrix.
    private var source = 0
    private var piece = 0
    /// The finished copies of the current source.
    private var finished: [MatrixWeight] = []
    private var place: UnsafeMutableRawPointer
    private var unchecked = 0

    /// Nil without memory for the copies beside `reservedBytes`.
    init?(_ sources: [Source], reservedBytes: Int, kernels: KernelSet, pool: ThreadPool) {
        let byteCount = sources.reduce(0) { $0 + $1.byteCount }
        guard byteCount > 0, Self.fits(byteCount, reservedBytes) else { return nil }
        guard let memory = try? AnonymousMemory(byteCount: byteCount) else { return nil }
        self.sources = sources
        self.memory = memory
        self.reservedBytes = reservedBytes
        self.kernels = kernels
        self.pool = pool
        unsafe place = unsafe memory.base
        progress = CopyProgress(made: 0, total: byteCount)
    }

    private static func fits(_ byteCount: Int, _ reservedBytes: Int) -> Bool {
        byteCount <= (SystemMemory.available ?? .max) / 10 * 9 - reservedBytes
    }

    /// The weight that is copied next; nil: none is left.
    var next: Int? { progress.isComplete ? nil : sources[source].index }

    /// Copies one piece; returns the matrices of a weight of which that was the last.
    func advance() -> (index: Int, matrices: [MatrixWeight])? {
        guard !progress.isComplete, mayGoOn() else { return nil }
        let matrix = sources[source].matrices[finished.count]
        let byteCount = kernels.interleavedByteCount(rows: matrix.rows, rowBytes: matrix.rowBytes)
        let pieces = (byteCount + Self.pieceBytes - 1) / Self.pieceBytes
        copy(matrix, piece: piece, of: pieces)
        piece += 1
        guard piece == pieces else { return nil }
        piece = 0
        unsafe finished.append(kernels.interleaved(matrix, at: place))
        unsafe place += byteCount
        unchecked += byteCount
        progress.made += byteCount
        guard finished.count == sources[source].matrices.count else { return nil }
        defer {
            finished = []
            source += 1
        }
        return (sources[source].index, finished)
    }

    /// Each worker copies part of the rows that products will give it, so that their pages are its own.
    private func copy(_ matrix: MatrixWeight, piece: Int, of pieces: Int) {
        let target = unsafe SharedAddress(place)
        pool.run { [kernels] share in
            let own = share.range(of: matrix.rows, unit: 16)
            let tiles = (own.count + 15) / 16
            let first = own.lowerBound + tiles * piece / pieces * 16
            let last = own.lowerBound + tiles * (piece + 1) / pieces * 16
            unsafe kernels.interleave(matrix, rows: first..<min(last, own.upperBound), to: target.address)
        }
    }

    /// Whether there still is memory for the rest. If others took it, the weights not yet copied stay as they are mapped.
    private func mayGoOn() -> Bool {
        guard unchecked >= Self.checkBytes else { return true }
        unchecked = 0
        guard !Self.fits(progress.total - progress.made, reservedBytes) else { return true }
        abandonedBytes = progress.total - progress.made
        progress.total = progress.made
        return false
    }
}

/// The address of memory that the workers of one call share.
@unsafe private struct SharedAddress: @unchecked Sendable {
    let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { unsafe self.address = unsafe address }
}
