internal import Crypto

/// Computes what names blocks: a chain of digests, so that a key stands for a block's tokens and for all tokens before them.
///
/// A key covers
/// - the model's identity and the block size: rows of another model, or cut otherwise, are other rows;
/// - the owner and the salt: who is another one, or does not know it, gets no hit, and cannot tell from timings what
///   others asked;
/// - the key of the block before it, and the block's tokens;
/// - how many of them are in prompt form, the rest being in decode form: the two differ in their last bits
///   (`docs/designs/003-scheduler.md`), and results must not depend on what a cache holds; unless somebody chose that answers serve
///   prompts (`servesAnswers`);
/// - the token after the block, for models whose drafter computes a row from the token that follows it.
package struct BlockHasher: Sendable {
    package let blockSize: Int
    /// Whether a block's content depends on the token after its last one.
    package let readsNextToken: Bool
    /// Whether blocks of generated tokens have the keys that prompts ask for.
    package let servesAnswers: Bool
    private let identity: [UInt8]

    package init(identity: [UInt8], blockSize: Int, readsNextToken: Bool, servesAnswers: Bool = false) {
        self.identity = identity
        self.blockSize = blockSize
        self.readsNextToken = readsNextToken
        self.servesAnswers = servesAnswers
    }

    /// What stands for the key before the first block's. No salt and an empty one are two salts, no owner and an empty one
    /// two owners; each part goes with its length, so that no pair of both is another one.
    package func root(salt: String?, owner: String? = nil) -> BlockKey {
        var hash = SHA256()
        for part in [Array("deepseek key/value block 1".utf8), identity, salt.map { Array($0.utf8) }] {
            Self.update(&hash, part)
        }
        Self.update(&hash, UInt64(blockSize))
        Self.update(&hash, readsNextToken ? 1 : 0)
        // Nothing for none of these: keys of blocks on disks were made before there were owners and answers.
        if servesAnswers { Self.update(&hash, 2) }
        if let owner { Self.update(&hash, Array(owner.utf8)) }
        return Self.key(hash)
    }

    /// Tokens that must be known for the key of block `index`.
    package func tokensNeeded(forBlock index: Int) -> Int { (index + 1) * blockSize + (readsNextToken ? 1 : 0) }

    /// The key of block `index` of a request.
    /// - Parameter promptCount: how many of `tokens` are the prompt.
    package func key(after parent: BlockKey, block index: Int, of tokens: [Int32], promptCount: Int) -> BlockKey {
        let start = index * blockSize
        let end = start + blockSize
        precondition(tokens.count >= tokensNeeded(forBlock: index), "a block's key needs all its tokens")
        var hash = SHA256()
        withUnsafeBytes(of: parent.words) { hash.update(bufferPointer: $0) }
        Self.update(&hash, UInt64(servesAnswers ? blockSize : min(max(promptCount - start, 0), blockSize)))
        tokens[start..<end + (readsNextToken ? 1 : 0)].withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Self.key(hash)
    }

    /// The keys of all blocks that a prompt fills.
    package func chain(of prompt: [Int32], salt: String?, owner: String? = nil) -> BlockChain {
        let root = root(salt: salt, owner: owner)
        var keys: [BlockKey] = []
        while prompt.count >= tokensNeeded(forBlock: keys.count) {
            keys.append(key(after: keys.last ?? root, block: keys.count, of: prompt, promptCount: prompt.count))
        }
        return BlockChain(root: root, keys: keys)
    }

    private static func update(_ hash: inout SHA256, _ part: [UInt8]?) {
        update(&hash, part == nil ? 0 : 1)
        update(&hash, UInt64(part?.count ?? 0))
        (part ?? []).withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    private static func update(_ hash: inout SHA256, _ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { hash.update(bufferPointer: $0) }
    }

    private static func key(_ hash: SHA256) -> BlockKey {
        let digest = hash.finalize()
        guard let key = BlockKey(bytes: Array(digest)) else { preconditionFailure("SHA-256 gives 32 bytes") }
        return key
    }
}

/// The keys of a request's leading full blocks.
package struct BlockChain: Sendable, Equatable {
    package let root: BlockKey
    package internal(set) var keys: [BlockKey]
}
