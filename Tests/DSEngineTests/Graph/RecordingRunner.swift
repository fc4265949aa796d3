import DSEngine
import DSGraph

/// Remembers the logits of every sampled row by the tokens that lead to it. The same tokens must always give the same
/// bits, whatever the batch: a difference is counted.
final class RecordingRunner: ModelRunner {
    let inner: any ModelRunner
    /// Bits of the logits by the tokens up to and including the row's own.
    private(set) var rows: [[Int32]: [UInt32]]
    /// Rows whose bits differed from those recorded before.
    private(set) var differences: [[Int32]] = []
    private var cache: [Int32]

    var vocabularySize: Int { inner.vocabularySize }
    var maximumContext: Int { inner.maximumContext }
    var blockCount: Int { inner.blockCount }
    var blockSize: Int { inner.blockSize }
    var drafter: (any DraftRunner)? { inner.drafter }
    var weightCopies: CopyProgress { inner.weightCopies }
    var promptRowsWorthCopies: Int? { inner.promptRowsWorthCopies }
    func copyWeights(for time: Duration?) { inner.copyWeights(for: time) }

    init(_ inner: any ModelRunner, expecting rows: [[Int32]: [UInt32]] = [:]) {
        self.inner = inner
        self.rows = rows
        cache = Array(repeating: -1, count: inner.blockCount * inner.blockSize)
    }

    func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float> {
        for row in 0..<batch.rows { cache[Int(batch.slots[row])] = batch.tokenIDs[row] }
        let logits = try inner.run(batch)
        for index in 0..<batch.sampledRows.count {
            let tokens = context(of: Int(batch.sampledRows[index]), in: batch)
            let bits = logits[index * vocabularySize..<(index + 1) * vocabularySize].map(\.bitPattern)
            if let known = rows[tokens] {
                if known != bits { differences.append(tokens) }
            } else {
                rows[tokens] = bits
            }
        }
        return logits
    }

    private func context(of row: Int, in batch: Batch) -> [Int32] {
        for index in 0..<batch.sequences.count {
            let sequence = batch.sequences[index]
            guard (sequence.queryStart..<sequence.queryStart + sequence.queryCount).contains(row) else { continue }
            let count = sequence.contextLength - sequence.queryCount + (row - sequence.queryStart) + 1
            return (0..<count).map { token in
                let block = Int(batch.blockTables[sequence.tableStart + token / blockSize])
                return cache[block * blockSize + token % blockSize]
            }
        }
        return []
    }
}
