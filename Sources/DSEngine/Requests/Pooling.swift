/// Which hidden states of a prompt make its embedding: those after the model's last norm, which the output head would read.
public enum Pooling: String, Sendable, CaseIterable {
    /// Of the last token.
    case last
    /// The average over all tokens.
    case mean
    /// Of the first token.
    case cls
    /// Of all tokens, one after the other, [tokens, hiddenSize].
    case none
}

/// Collects hidden states while a prompt is computed in pieces.
struct EmbeddingPool {
    let pooling: Pooling
    private let promptCount: Int
    private(set) var values: [Float] = []

    init(_ pooling: Pooling, promptCount: Int) {
        self.pooling = pooling
        self.promptCount = promptCount
    }

    /// Takes the rows of the tokens from `start` on, [rows, hiddenSize]. A prompt that begins again forgets what it had.
    mutating func add(_ rows: UnsafeBufferPointer<Float>, count: Int, start: Int) {
        if start == 0 { values.removeAll(keepingCapacity: true) }
        guard count > 0 else { return }
        let width = rows.count / count
        switch pooling {
        case .last:
            if start + count == promptCount { values = Array(rows[(count - 1) * width..<count * width]) }
        case .cls:
            if start == 0 { values = Array(rows[..<width]) }
        case .none: values += rows
        case .mean:
            if values.isEmpty { values = Array(repeating: 0, count: width) }
            for row in 0..<count {
                for index in 0..<width { values[index] += rows[row * width + index] / Float(promptCount) }
            }
        }
    }
}
