/// Names one block of the key/value cache: `blockSize` consecutive rows of every layer's state.
package struct BlockID: Hashable, Sendable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }
}

/// An internal contradiction that `checkInvariants()` found; always a programmer's mistake.
package struct InvariantViolation: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    package static func check(
        _ condition: Bool, _ description: @autoclosure () -> String
    ) throws(InvariantViolation) {
        guard condition else { throw InvariantViolation(description()) }
    }
}

/// Which blocks of the cache are in use, and by how many owners. Blocks are counted references, so that several requests can
/// share one.
///
/// A free block is *blank*, or it is *kept*: its content may serve a later request. Blank blocks are handed out first, then kept
/// ones, the longest unused first.
package struct BlockPool: Sendable {
    package let blockCount: Int
    /// Free blocks without content; the last one is handed out next, so that a recently used (cached) block is used again first.
    private var blank: [BlockID]
    /// Owners per block, [blockCount].
    private var references: [Int32]
    /// Whether the content of a block is kept when it has no owner, [blockCount].
    private var isKept: [Bool]
    /// Free blocks that are kept, in a ring through entry `blockCount`: the block that is used less lately, and more lately,
    /// [blockCount + 1].
    private var older: [Int32]
    private var newer: [Int32]
    /// Free blocks that are kept.
    package private(set) var idleCount = 0

    package init(blockCount: Int) {
        precondition(blockCount >= 0 && blockCount < Int(Int32.max), "block count out of range")
        self.blockCount = blockCount
        blank = (0..<Int32(blockCount)).reversed().map(BlockID.init)
        references = Array(repeating: 0, count: blockCount)
        isKept = Array(repeating: false, count: blockCount)
        older = Array(repeating: Int32(blockCount), count: blockCount + 1)
        newer = older
    }

    /// Blocks that can be handed out.
    package var freeCount: Int { blank.count + idleCount }
    package var usedCount: Int { blockCount - freeCount }

    /// Takes a free block for one owner; `nil` if none is left. Its content is kept no longer.
    package mutating func allocate() -> BlockID? {
        guard let block = blank.popLast() ?? oldestIdle else { return nil }
        if isKept[Int(block.rawValue)] { unlink(block) }
        isKept[Int(block.rawValue)] = false
        references[Int(block.rawValue)] = 1
        return block
    }

    /// The kept block that is handed out when no blank one is left.
    package var oldestIdle: BlockID? { idleCount == 0 ? nil : BlockID(newer[blockCount]) }
    package var hasBlank: Bool { !blank.isEmpty }

    /// Adds an owner to a block in use, or to one that is kept.
    package mutating func retain(_ block: BlockID) {
        let index = Int(block.rawValue)
        precondition(references[index] > 0 || isKept[index], "retained a free block")
        if references[index] == 0 { unlink(block) }
        references[index] += 1
    }

    /// Removes an owner; the block is free when none is left, and the one used last if it is kept.
    package mutating func release(_ block: BlockID) {
        let index = Int(block.rawValue)
        precondition(references[index] > 0, "released a free block")
        references[index] -= 1
        guard references[index] == 0 else { return }
        if isKept[index] { link(block, before: Int32(blockCount)) } else { blank.append(block) }
    }

    /// Keeps the content of a block in use beyond its last owner.
    package mutating func keep(_ block: BlockID) {
        precondition(references[Int(block.rawValue)] > 0, "kept a free block")
        isKept[Int(block.rawValue)] = true
    }

    /// Makes a free block the next one before `other` to be handed out: content that is of no use without `other`'s.
    package mutating func demote(_ block: BlockID, below other: BlockID) {
        guard isIdle(block), isIdle(other), block != other else { return }
        unlink(block)
        link(block, before: other.rawValue)
    }

    package func referenceCount(_ block: BlockID) -> Int { Int(references[Int(block.rawValue)]) }
    /// Whether a block is kept and has no owner.
    package func isIdle(_ block: BlockID) -> Bool {
        references[Int(block.rawValue)] == 0 && isKept[Int(block.rawValue)]
    }
    package func isKept(_ block: BlockID) -> Bool { isKept[Int(block.rawValue)] }

    private mutating func link(_ block: BlockID, before next: Int32) {
        let previous = older[Int(next)]
        newer[Int(previous)] = block.rawValue
        older[Int(next)] = block.rawValue
        older[Int(block.rawValue)] = previous
        newer[Int(block.rawValue)] = next
        idleCount += 1
    }

    private mutating func unlink(_ block: BlockID) {
        let index = Int(block.rawValue)
        newer[Int(older[index])] = newer[index]
        older[Int(newer[index])] = older[index]
        idleCount -= 1
    }

    package func checkInvariants() throws(InvariantViolation) {
        var isFree = [Bool](repeating: false, count: blockCount)
        for block in blank {
            try InvariantViolation.check(
                (0..<blockCount).contains(Int(block.rawValue)), "free list holds unknown block \(block.rawValue)")
            try InvariantViolation.check(!isFree[Int(block.rawValue)], "block \(block.rawValue) is free twice")
            try InvariantViolation.check(!isKept[Int(block.rawValue)], "block \(block.rawValue) is blank and kept")
            isFree[Int(block.rawValue)] = true
        }
        var count = 0
        var index = newer[blockCount]
        while index != Int32(blockCount), count <= blockCount {
            try InvariantViolation.check(!isFree[Int(index)], "block \(index) is free twice")
            try InvariantViolation.check(isKept[Int(index)], "block \(index) is listed as kept and is not")
            try InvariantViolation.check(
                newer[Int(older[Int(index)])] == index && older[Int(newer[Int(index)])] == index,
                "the list of kept blocks is broken at \(index)")
            isFree[Int(index)] = true
            count += 1
            index = newer[Int(index)]
        }
        try InvariantViolation.check(count == idleCount, "\(count) kept blocks listed, \(idleCount) counted")
        for index in 0..<blockCount {
            try InvariantViolation.check(
                isFree[index] == (references[index] == 0),
                "block \(index): free \(isFree[index]) with \(references[index]) owners")
        }
    }
}
