/// Guesses at tokens that follow the known ones.
extension Scheduler {
    /// Whether the request in `slot` decodes, so that its next step could verify drafted tokens.
    package func mayDraft(_ slot: SequenceSlot) -> Bool {
        sequences[slot.rawValue].map { $0.isRunning && !$0.isPaused && $0.isDecoding } ?? false
    }

    /// Takes cache rows for up to `count` drafted tokens of a request that decodes, those it has already among them, without
    /// taking them from anybody; returns for how many there are rows.
    package mutating func reserveDraft(_ count: Int, for slot: SequenceSlot) -> Int {
        guard mayDraft(slot), pool.freeCount > running.count, let sequence = sequences[slot.rawValue] else { return 0 }
        // The step chooses one token more than are right.
        let room = min(count, sequence.tokenLimit - sequence.tokens.count - 1)
        guard room > 0 else { return 0 }
        return max(0, reserve(1 + room, for: slot) - 1)
    }

    /// Whether a token ends the request in `slot` whatever comes after it.
    package func isTerminator(_ token: Int32, of slot: SequenceSlot) -> Bool {
        sequences[slot.rawValue]?.ending(after: token, endTokens: endTokens)?.isTerminator ?? false
    }

    /// Adds a guess to those at the tokens that follow the known ones; the next step computes as many as it has rows for.
    package mutating func appendDraft(_ token: Int32, to slot: SequenceSlot) {
        sequences[slot.rawValue]?.draft.append(token)
    }
}
