import DSEngine
import Testing

@Suite("Keys of blocks")
struct BlockKeyTests {
    static let hasher = BlockHasher(identity: [1, 2, 3], blockSize: 4, readsNextToken: false)

    @Test func hexadecimalDigitsAreTheBytes() throws {
        let bytes = (0..<32).map { UInt8($0 * 7 & 0xFF) }
        let key = try #require(BlockKey(bytes: bytes))
        #expect(key.bytes == bytes)
        #expect(key.description.prefix(8) == "00070e15")
        #expect(key.description.count == 64)
        #expect(BlockKey(bytes: bytes.dropLast()) == nil)
    }

    @Test("Whatever a block's rows follow from changes its key and those after it")
    func distinguishes() {
        let tokens = (0..<13).map(Int32.init)
        let plain = Self.hasher.chain(of: tokens, salt: nil)
        #expect(plain.keys.count == 3)
        #expect(Set(plain.keys).count == 3)
        #expect(Self.hasher.chain(of: Array(tokens.prefix(9)), salt: nil).keys == Array(plain.keys.prefix(2)))
        var roots: Set<BlockKey> = [plain.root]
        for salt in ["", "a", "b", "\u{0}"] { #expect(roots.insert(Self.hasher.root(salt: salt)).inserted, "\(salt)") }
        let others = [
            BlockHasher(identity: [1, 2, 4], blockSize: 4, readsNextToken: false),
            BlockHasher(identity: [], blockSize: 4, readsNextToken: false),
            BlockHasher(identity: [1, 2, 3], blockSize: 8, readsNextToken: false),
            BlockHasher(identity: [1, 2, 3], blockSize: 4, readsNextToken: true),
            BlockHasher(identity: [1, 2, 3], blockSize: 4, readsNextToken: false, servesAnswers: true),
        ]
        for other in others { #expect(roots.insert(other.root(salt: nil)).inserted) }
        var changed = tokens
        changed[5] = 99
        let other = Self.hasher.chain(of: changed, salt: nil).keys
        #expect(other[0] == plain.keys[0] && other[1] != plain.keys[1] && other[2] != plain.keys[2])
    }

    @Test("Salts and identities cannot be moved into each other")
    func partsAreSeparated() {
        let one = BlockHasher(identity: Array("ab".utf8), blockSize: 4, readsNextToken: false).root(salt: "c")
        let two = BlockHasher(identity: Array("a".utf8), blockSize: 4, readsNextToken: false).root(salt: "bc")
        #expect(one != two)
    }

    @Test("Owners and salts are two things, and no pair of them is another pair")
    func ownersAndSalts() {
        let parts: [String?] = [nil, "", "a", "b", "ab", "a\u{0}b", "a:b", "\u{1}a"]
        var roots: Set<BlockKey> = []
        for owner in parts {
            for salt in parts { roots.insert(Self.hasher.root(salt: salt, owner: owner)) }
        }
        #expect(roots.count == parts.count * parts.count)
        // By Python's hashlib. What lies on disks from before there were owners is still found.
        #expect(
            Self.hasher.root(salt: nil).description
                == "ada23a82b2d3c8152d1873c2a406885fb2a15b76a8ac34ca24e91eb2342d90fc")
    }

    @Test("A generated token's block is another one than the same tokens in a prompt")
    func formsDiffer() {
        let tokens = (0..<8).map(Int32.init)
        let root = Self.hasher.root(salt: nil)
        let keys = (0...4).map { Self.hasher.key(after: root, block: 0, of: tokens, promptCount: $0) }
        #expect(Set(keys).count == 5)
        #expect(Self.hasher.key(after: root, block: 0, of: tokens, promptCount: 7) == keys[4])
    }

    @Test("Where answers serve prompts, a generated token's block is the prompt's")
    func answersServePrompts() {
        let hasher = BlockHasher(identity: [], blockSize: 4, readsNextToken: false, servesAnswers: true)
        let tokens = (0..<8).map(Int32.init)
        let chain = hasher.chain(of: tokens, salt: nil)
        for count in 0...4 {
            #expect(hasher.key(after: chain.root, block: 0, of: tokens, promptCount: count) == chain.keys[0])
        }
    }

    @Test("Where the drafter reads the next token, it belongs to the block")
    func nextToken() {
        let hasher = BlockHasher(identity: [], blockSize: 4, readsNextToken: true)
        let tokens = (0..<9).map(Int32.init)
        #expect(hasher.chain(of: Array(tokens.prefix(8)), salt: nil).keys.count == 1)
        let keys = hasher.chain(of: tokens, salt: nil).keys
        #expect(keys.count == 2)
        var changed = tokens
        changed[4] = 77
        #expect(hasher.chain(of: changed, salt: nil).keys[0] != keys[0])
        changed = tokens
        changed[5] = 77
        #expect(hasher.chain(of: changed, salt: nil).keys[0] == keys[0])
    }
}
