/// Which blocks of the cache hold which content. A key covers all tokens before its block, so looking up one key after the other
/// walks a tree over full blocks from its root.
package struct PrefixIndex: Sendable {
    private var blocks: [BlockKey: BlockID] = [:]
    /// By block, [blockCount].
    private var keys: [BlockKey?]
    /// Whether the drafter's rows are there, too, [blockCount].
    private var isFollowed: [Bool]

    package init(blockCount: Int) {
        keys = Array(repeating: nil, count: blockCount)
        isFollowed = Array(repeating: false, count: blockCount)
        blocks.reserveCapacity(blockCount)
    }

    package var count: Int { blocks.count }

    package func block(for key: BlockKey) -> BlockID? { blocks[key] }
    package func key(of block: BlockID) -> BlockKey? { keys[Int(block.rawValue)] }
    package func isFollowed(_ block: BlockID) -> Bool { isFollowed[Int(block.rawValue)] }

    package mutating func insert(_ key: BlockKey, _ block: BlockID, isFollowed followed: Bool = false) {
        precondition(blocks[key] == nil && keys[Int(block.rawValue)] == nil, "a block has one key, a key one block")
        blocks[key] = block
        keys[Int(block.rawValue)] = key
        isFollowed[Int(block.rawValue)] = followed
    }

    package mutating func setFollowed(_ block: BlockID) { isFollowed[Int(block.rawValue)] = true }

    /// The block's content is about to be replaced; whether it was known.
    package mutating func forget(_ block: BlockID) -> Bool {
        guard let key = keys[Int(block.rawValue)] else { return false }
        blocks[key] = nil
        keys[Int(block.rawValue)] = nil
        isFollowed[Int(block.rawValue)] = false
        return true
    }

    package func checkInvariants(_ pool: BlockPool) throws(InvariantViolation) {
        for index in keys.indices {
            let block = BlockID(Int32(index))
            try InvariantViolation.check(
                (keys[index] != nil) == pool.isKept(block), "block \(index): kept and known are not the same")
            if let key = keys[index] {
                try InvariantViolation.check(blocks[key] == block, "block \(index): its key names another block")
            }
        }
        try InvariantViolation.check(
            blocks.count == keys.count { $0 != nil }, "\(blocks.count) keys for \(keys.count { $0 != nil }) blocks")
    }
}
