/// A small network that guesses the token after the next one from the model's own last hidden state. Used by the thread
/// that runs the model, between its steps.
///
/// Its state lies in the same blocks as the model's. Its row at position i is computed from the hidden state at i and the
/// token at i + 1, and gives logits for the token at i + 2.
package protocol DraftRunner: AnyObject {
    /// Computes `batch`, whose token ids are those after each row's position, and returns the logits of its sampled rows,
    /// [sampled, vocabularySize], valid until the next call.
    /// - Parameters:
    ///   - sources: for each row, the row of an earlier step whose hidden state it continues.
    ///   - isContinuation: whether that step is the last call of this method, not the model's last step.
    func run(
        _ batch: Batch, sources: borrowing RowBuffer<Int32>, isContinuation: Bool
    ) throws(EngineError) -> UnsafeBufferPointer<Float>
}
