/// Gives the answers of batches that are computed at the same time in the order in which the batches began.
struct AnswerOrder<Answers: Sendable>: Sendable {
    private var opened: UInt64 = 0
    private var given: UInt64 = 0
    private var early: [UInt64: Answers] = [:]

    /// The number of a batch that begins.
    mutating func open() -> UInt64 {
        defer { opened += 1 }
        return opened
    }

    /// A batch ended; returns the answers that may be given now.
    mutating func close(_ number: UInt64, _ answers: Answers) -> [Answers] {
        early[number] = answers
        var ready: [Answers] = []
        while let next = early.removeValue(forKey: given) {
            ready.append(next)
            given += 1
        }
        return ready
    }
}
