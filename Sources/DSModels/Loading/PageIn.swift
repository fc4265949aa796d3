internal import DSKernels
package import DSSupport
internal import Synchronization

/// Reads what is missing of mapped files into memory, by several threads, in the files' order.
package enum PageIn {
    package enum Outcome: Equatable, Sendable {
        /// As good as all was in memory.
        case resident
        case complete
        /// Not begun: reading one part would drive out another.
        case doesNotFit(bytes: Int, available: Int)
        case cancelled
        /// Reading stopped; what is missing is read when it is used.
        case failed(reason: String)

        /// What the user should know; nil: nothing.
        package var note: String? {
            switch self {
            case .resident, .complete, .cancelled: nil
            case .doesNotFit(let bytes, let available):
                "the weights (\(bytes >> 20) MiB) are not read ahead, as \(available >> 20) MiB of memory are available"
            case .failed(let reason): "reading the weights ahead stopped: \(reason)"
            }
        }
    }

    /// Told how many bytes are read and how many there are to read; returns whether to go on. Called in any thread, one call
    /// at a time, the last with equal numbers if all were read. Nothing that is done within `quietTime` is reported.
    package typealias Report = @Sendable (_ done: Int, _ total: Int) -> Bool

    /// What one thread reads at a time.
    private static let chunkBytes = 4 << 20
    /// More threads than processors: they wait.
    private static let threadCount = 4
    /// Chunks that are looked at to see how much is missing: all of 4 GiB, a sample of larger models.
    private static let sampleCount = 1024
    /// Reading less than this is not worth while: 64 MiB, or a twentieth of a smaller model.
    private static let negligibleBytes = 64 << 20

    /// Returns when the files are in memory, or could not be read there. `reservedBytes` are what else will be allocated.
    package static func run(
        _ files: [MappedBytes], reservedBytes: Int, available: Int? = SystemMemory.available,
        quietTime: Duration = .milliseconds(200), report: @escaping Report = { _, _ in true }
    ) -> Outcome {
        let chunks = chunks(of: files)
        let bytes = chunks.reduce(0) { $0 + $1.range.count }
        let missing = missingBytes(chunks, bytes)
        guard missing > min(negligibleBytes, bytes / 20) else { return .resident }
        // File pages in memory count as available, so this is the size of all.
        if let available, bytes > available / 10 * 9 - reservedBytes {
            return .doesNotFit(bytes: bytes, available: available)
        }
        let work = Work(chunks)
        let pool: ThreadPool
        do {
            pool = try ThreadPool(threadCount: min(threadCount, chunks.count))
        } catch {
            return .failed(reason: error.description)
        }
        let start = ContinuousClock.now
        let shown = Mutex(false)
        pool.run { _ in
            while let chunk = work.next() {
                work.load(chunk)
                shown.withLock { isShown in
                    guard isShown || ContinuousClock.now - start > quietTime, !work.isStopped else { return }
                    isShown = true
                    if !report(min(work.done.load(ordering: .relaxed), missing - 1), missing) { work.stop(.cancelled) }
                }
            }
        }
        if let outcome = work.stopped.withLock({ $0 }) { return outcome }
        if shown.withLock({ $0 }) { _ = report(missing, missing) }
        return .complete
    }

    fileprivate struct Chunk {
        let file: MappedBytes
        let range: Range<Int>

        /// All of it where the system does not tell.
        var missing: Int { file.missingBytes(in: range) ?? range.count }
    }

    private static func chunks(of files: [MappedBytes]) -> [Chunk] {
        files.flatMap { file in
            stride(from: 0, to: file.count, by: chunkBytes).map { start in
                Chunk(file: file, range: start..<min(start + chunkBytes, file.count))
            }
        }
    }

    private static func missingBytes(_ chunks: [Chunk], _ bytes: Int) -> Int {
        let count = min(chunks.count, sampleCount)
        var (seen, missing) = (0, 0)
        for index in 0..<count {
            let chunk = chunks[chunks.count * index / count]
            seen += chunk.range.count
            missing += chunk.missing
        }
        guard seen < bytes else { return missing }
        return Int(Double(missing) / Double(seen) * Double(bytes))
    }

    /// What the threads share.
    private final class Work: Sendable {
        let chunks: [Chunk]
        let taken = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        /// Why there is nothing more to do before the end.
        let stopped = Mutex<Outcome?>(nil)

        init(_ chunks: [Chunk]) { self.chunks = chunks }

        func next() -> Chunk? {
            guard !isStopped else { return nil }
            let index = taken.add(1, ordering: .relaxed).oldValue
            return index < chunks.count ? chunks[index] : nil
        }

        func load(_ chunk: Chunk) {
            let missing = chunk.missing
            guard missing > 0 else { return }
            do {
                try chunk.file.load(chunk.range)
                done.add(missing, ordering: .relaxed)
            } catch {
                stop(.failed(reason: error.description))
            }
        }

        var isStopped: Bool { stopped.withLock { $0 != nil } }

        func stop(_ outcome: Outcome) { stopped.withLock { $0 = $0 ?? outcome } }
    }
}
