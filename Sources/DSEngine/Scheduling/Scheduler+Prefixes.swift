/// A block whose content became known by its key.
package struct KnownBlock: Sendable, Equatable {
    package let key: BlockKey
    package let block: BlockID
}

/// What the prefix cache was asked for and gave, in tokens of prompts that ran for the first time, and the blocks that made room.
package struct PrefixCounts: Sendable, Equatable {
    package var queriedTokens = 0
    package var hitTokens = 0
    package var evictedBlocks = 0
}

/// Blocks that several requests share, at the same time or one after the other.
///
/// A full block of computed tokens is known by its key from then on. It stays in the pool without an owner until the pool hands it out,
/// the one that was used longest ago first. A request releases its last block first, so a block is handed out before the one that
/// leads to it.
extension Scheduler {
    /// Blocks that are known, in use or not.
    package var knownBlockCount: Int { prefixes.count }

    /// Takes a free block, whose content is known no longer.
    mutating func takeBlock() -> BlockID? {
        guard let block = pool.allocate() else { return nil }
        if hasher != nil, prefixes.forget(block) { prefixCounts.evictedBlocks += 1 }
        return block
    }

    // MARK: Hits

    /// Gives a request the known blocks that come next, instead of having them computed. Its last known token is left: somebody has
    /// to give the logits.
    mutating func adoptKnown(_ slot: SequenceSlot) {
        guard let sequence = sequences[slot.rawValue], let chain = sequence.chain, sequence.takesKnownBlocks else {
            return
        }
        var index = sequence.blocks.count
        var followed = sequence.followed
        var taken = 0
        guard sequence.computed == index * limits.blockSize else { return }
        while let block = knownBlock(index, chain, sequence) {
            pool.retain(block)
            sequences[slot.rawValue]?.blocks.append(block)
            if prefixes.isFollowed(block), followed == index * limits.blockSize { followed += limits.blockSize }
            index += 1
            taken += 1
        }
        if !sequence.wasLookedUp {
            sequences[slot.rawValue]?.wasLookedUp = true
            prefixCounts.queriedTokens += sequence.promptCount
        }
        guard taken > 0 else { return }
        sequences[slot.rawValue]?.computed = index * limits.blockSize
        sequences[slot.rawValue]?.followed = followed
        if sequence.keptBlocks == sequence.blocks.count { sequences[slot.rawValue]?.keptBlocks = index }
        if sequence.preemptions == 0 {
            sequences[slot.rawValue]?.cachedCount += taken * limits.blockSize
            prefixCounts.hitTokens += taken * limits.blockSize
        }
    }

    private func knownBlock(_ index: Int, _ chain: BlockChain, _ sequence: ScheduledSequence) -> BlockID? {
        guard index < chain.keys.count, (index + 1) * limits.blockSize < sequence.tokens.count else { return nil }
        return prefixes.block(for: chain.keys[index])
    }

    /// How many leading blocks of a waiting request are known, and how many of those have an owner.
    func knownPrefix(of slot: SequenceSlot) -> (count: Int, inUse: Int) {
        guard let sequence = sequences[slot.rawValue], let chain = sequence.chain, sequence.takesKnownBlocks else {
            return (0, 0)
        }
        var result = (count: 0, inUse: 0)
        while let block = knownBlock(result.count, chain, sequence) {
            result.count += 1
            if !pool.isIdle(block) { result.inUse += 1 }
        }
        return result
    }

    // MARK: Making blocks known

    /// Makes the full blocks known that a request has computed, as far as it has their keys.
    mutating func keepComputed(_ slot: SequenceSlot) {
        guard let sequence = sequences[slot.rawValue], let chain = sequence.chain, var index = sequence.keptBlocks
        else {
            return
        }
        while index < chain.keys.count, (index + 1) * limits.blockSize <= sequence.computed {
            let block = sequence.blocks[index]
            if let other = prefixes.block(for: chain.keys[index]) {
                guard share(other, insteadOf: block, index, slot) else {
                    sequences[slot.rawValue]?.keptBlocks = nil
                    return
                }
            } else {
                pool.keep(block)
                prefixes.insert(
                    chain.keys[index], block, isFollowed: sequence.followed >= (index + 1) * limits.blockSize)
                newBlocks.append(KnownBlock(key: chain.keys[index], block: block))
            }
            index += 1
        }
        sequences[slot.rawValue]?.keptBlocks = index
    }

    /// Two requests computed the same: one of the two blocks is enough. Only if the drafter's rows are no reason against it.
    private mutating func share(
        _ other: BlockID, insteadOf block: BlockID, _ index: Int, _ slot: SequenceSlot
    ) -> Bool {
        guard other != block else { return true }
        guard hasher?.readsNextToken == false || prefixes.isFollowed(other) else { return false }
        pool.retain(other)
        pool.release(block)
        sequences[slot.rawValue]?.blocks[index] = other
        return true
    }

    /// Before a request loses its blocks: those with generated tokens become known, too, so that it may find them again.
    mutating func keepGenerated(_ slot: SequenceSlot) {
        guard let hasher, let sequence = sequences[slot.rawValue], var chain = sequence.chain else { return }
        while chain.keys.count < sequence.computed / limits.blockSize,
            sequence.tokens.count >= hasher.tokensNeeded(forBlock: chain.keys.count)
        {
            chain.keys.append(
                hasher.key(
                    after: chain.keys.last ?? chain.root, block: chain.keys.count, of: sequence.tokens,
                    promptCount: sequence.promptCount))
        }
        sequences[slot.rawValue]?.chain = chain
        keepComputed(slot)
    }

    /// Before a request ends: the prompt that continues its answer finds it.
    mutating func keepAnswer(_ slot: SequenceSlot) {
        guard let sequence = sequences[slot.rawValue] else { return }
        // The last token has no row yet, or that of a wrong guess.
        sequences[slot.rawValue]?.computed = min(sequence.computed, sequence.tokens.count - 1)
        keepGenerated(slot)
    }

    /// The new blocks were handed over, or nobody wants them.
    package mutating func forgetNewBlocks() { newBlocks.removeAll(keepingCapacity: true) }

    // MARK: The drafter

    /// The drafter's rows of tokens [0, followed) of a request are there.
    package func followed(_ slot: SequenceSlot) -> Int { sequences[slot.rawValue]?.followed ?? 0 }

    /// The drafter has computed a request's rows up to `end`.
    package mutating func setFollowed(_ slot: SequenceSlot, _ end: Int) {
        guard let sequence = sequences[slot.rawValue] else { return }
        sequences[slot.rawValue]?.followed = end
        guard hasher != nil else { return }
        for index in sequence.followed / limits.blockSize..<end / limits.blockSize
        where index < sequence.keptBlocks ?? 0 {
            prefixes.setFollowed(sequence.blocks[index])
        }
    }

    // MARK: Blocks from a store

    /// Keys of a request's blocks that could be used and are not known, from the first such one on, and the key before them.
    package func missingKeys(of id: RequestID) -> (parent: BlockKey?, keys: ArraySlice<BlockKey>) {
        guard let slot = slotOfRequest[id], let sequence = sequences[slot.rawValue], let chain = sequence.chain,
            sequence.takesKnownBlocks
        else { return (nil, []) }
        let usable = min(chain.keys.count, (sequence.tokens.count - 1) / limits.blockSize)
        let known = min(knownPrefix(of: slot).count, usable)
        return (known == 0 ? nil : chain.keys[known - 1], chain.keys[known..<usable])
    }

    package func isKnown(_ key: BlockKey) -> Bool { hasher != nil && prefixes.block(for: key) != nil }

    /// The block that a key names; nil: none does, or not any more.
    package func knownBlock(_ key: BlockKey) -> BlockID? { hasher == nil ? nil : prefixes.block(for: key) }
    package func isFollowed(_ block: BlockID) -> Bool { prefixes.isFollowed(block) }

    /// A place for the content of a block that was not computed here, known from now on; its rows have to be there before the next
    /// step. `nil`: there is no room, or the block that leads to it is gone.
    package mutating func place(_ key: BlockKey, after parent: BlockKey?, isFollowed: Bool) -> BlockID? {
        guard hasher != nil, prefixes.block(for: key) == nil else { return nil }
        let before = parent.flatMap { prefixes.block(for: $0) }
        guard parent == nil || before != nil, pool.hasBlank || pool.oldestIdle != before, let block = takeBlock() else {
            return nil
        }
        pool.keep(block)
        prefixes.insert(key, block, isFollowed: isFollowed)
        pool.release(block)
        if let before { pool.demote(block, below: before) }
        return block
    }
}
