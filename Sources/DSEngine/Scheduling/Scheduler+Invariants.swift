extension Scheduler {
    /// Throws the first contradiction in the scheduler's state. Valid between `commit` and the next `schedule`, and right
    /// after `schedule`.
    package func checkInvariants() throws(InvariantViolation) {
        try pool.checkInvariants()
        if hasher != nil { try prefixes.checkInvariants(pool) }
        try checkLists()
        var owners: [BlockID: Int] = [:]
        for slot in sequences.indices {
            guard let sequence = sequences[slot] else { continue }
            try check(sequence, at: SequenceSlot(slot))
            for block in sequence.blocks { owners[block, default: 0] += 1 }
        }
        for (block, count) in owners {
            try InvariantViolation.check(
                pool.referenceCount(block) == count,
                "block \(block.rawValue): \(pool.referenceCount(block)) references, \(count) owners")
        }
        try InvariantViolation.check(
            pool.usedCount == owners.count, "\(pool.usedCount) blocks in use, \(owners.count) owned")
    }

    private func checkLists() throws(InvariantViolation) {
        let listed = running + waiting
        try InvariantViolation.check(Set(listed).count == listed.count, "a request is listed twice")
        try InvariantViolation.check(
            listed.count == slotOfRequest.count, "\(listed.count) listed, \(slotOfRequest.count) known requests")
        try InvariantViolation.check(
            listed.count + freeSlots.count == sequences.count, "a slot is neither used nor free")
        for (list, isRunning) in [(running, true), (waiting, false)] {
            var previous: ScheduledSequence?
            for slot in list {
                guard let sequence = sequences[slot.rawValue] else {
                    throw InvariantViolation("slot \(slot.rawValue) is listed and empty")
                }
                try InvariantViolation.check(
                    sequence.isRunning == isRunning, "\(sequence.id): listed as running \(isRunning)")
                try InvariantViolation.check(
                    slotOfRequest[sequence.id] == slot, "\(sequence.id): its slot is not \(slot.rawValue)")
                if let previous {
                    try InvariantViolation.check(
                        precedes(previous, sequence), "\(sequence.id) is listed after \(previous.id)")
                }
                previous = sequence
            }
        }
    }

    private func check(_ sequence: ScheduledSequence, at slot: SequenceSlot) throws(InvariantViolation) {
        let capacity = sequence.blocks.count * limits.blockSize
        try InvariantViolation.check(
            sequence.computed + sequence.scheduled <= capacity,
            "\(sequence.id): \(sequence.computed)+\(sequence.scheduled) tokens in \(capacity) rows")
        try InvariantViolation.check(
            sequence.computed + sequence.scheduled <= sequence.tokens.count + sequence.draft.count,
            "\(sequence.id): computes more tokens than it knows or guesses")
        try InvariantViolation.check(
            sequence.draft.isEmpty || sequence.isDecoding && sequence.isRunning,
            "\(sequence.id): guesses while known tokens are not computed")
        try InvariantViolation.check(
            sequence.tokens.count + sequence.draft.count < sequence.tokenLimit || sequence.draft.isEmpty,
            "\(sequence.id): guesses beyond its limit \(sequence.tokenLimit)")
        try InvariantViolation.check(
            sequence.tokens.count <= sequence.tokenLimit && sequence.tokenLimit <= limits.maximumContext,
            "\(sequence.id): \(sequence.tokens.count) tokens beyond its limit \(sequence.tokenLimit)")
        try InvariantViolation.check(sequence.remaining > 0, "\(sequence.id): nothing left to compute, but not ended")
        try InvariantViolation.check(
            sequence.isRunning || sequence.blocks.isEmpty, "\(sequence.id): waits and holds blocks")
    }
}
