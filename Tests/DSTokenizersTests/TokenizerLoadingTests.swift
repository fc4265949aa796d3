import DSSupport
import DSTestSupport
import DSTokenizers
import Testing

@Suite("Tokenizer descriptions") struct TokenizerLoadingTests {
    /// Name of the case, JSON text, a part of the message.
    static let malformed: [(String, String)] = [
        ("[]", "expected an object"), ("{}", "'model'"), (#"{"model":{"type":"Magic"}}"#, "'Magic'"),
        (#"{"model":{"type":"BPE","merges":[]}}"#, "'model.vocab'"),
        (#"{"model":{"type":"BPE","vocab":[],"merges":[]}}"#, "'model.vocab'"),
        (#"{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}"#, "'vocab'"),
        (#"{"model":{"type":"BPE","vocab":{"a":99999999999},"merges":[]}}"#, "'vocab'"),
        (#"{"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}}"#, "'model.vocab.a'"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}"#, "merges[0]"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}"#, "token 'b'"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}"#, "token 'aa'"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.5}}"#, "dropout"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[],"unk_token":"<u>"}}"#, "'<u>'"),
        (#"{"model":{"type":"WordPiece","vocab":{}}}"#, "'[UNK]'"),
        (#"{"model":{"type":"Unigram","vocab":[["a"]]}}"#, "model.vocab[0]"),
        (#"{"model":{"type":"Unigram","vocab":[["a",0]],"unk_id":3}}"#, "unk_id"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Nope"}}"#, "'Nope'"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[]},"normalizer":{"type":"Nope"}}"#, "'Nope'"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[]},"decoder":{"type":"Nope"}}"#, "'Nope'"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[]},"post_processor":{"type":"Nope"}}"#, "'Nope'"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[]},"added_tokens":[{"id":0}]}"#, "content"),
        (#"{"model":{"type":"BPE","vocab":{},"merges":[]},"added_tokens":[{"id":-3,"content":"a"}]}"#, "id"),
        (
            #"{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated"}}"#,
            "escape"
        ),
        (
            #"{"model":{"type":"BPE","vocab":{},"merges":[]},"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}}"#,
            "precompiled"
        ),
    ]

    @Test(arguments: malformed) func refusesMalformed(text: String, part: String) throws {
        let json = try JSONValue.parse(text)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(json: json) }
        #expect("\(String(describing: error))".contains(part))
    }

    /// Seeded damage to a real description: an error or a working tokenizer, never a trap.
    @Test func damagedDescriptionsNeverTrap() throws {
        let fixture = try TokenizerFixture("bert")
        let text = try #require(fixture.document["tokenizer"]).serialized()
        #expect(try Self.encodes(text))
        let vocabulary = Array(#""vocab""#.utf8)
        let start = text.indices.first { text[$0...].starts(with: vocabulary) }
        let head = try #require(start)
        var random = SplitMix(seed: 1)
        var (loaded, refused, unreadable) = (0, 0, 0)
        for round in 0..<200 {
            // Any byte for any other, which rarely is JSON any more; or letters and digits before the vocabulary for others.
            let isMild = round % 2 == 1
            var damaged = text
            for _ in 0...random.below(4) {
                let index = random.below(isMild ? head : text.count)
                let other = text[random.below(text.count)]
                switch damaged[index] {
                case _ where !isMild: damaged[index] = other
                case 0x61...0x7A: damaged[index] = 0x61 + other % 26
                case 0x30...0x39: damaged[index] = 0x30 + other % 10
                default: break
                }
            }
            guard damaged != text else { continue }
            do {
                if try Self.encodes(damaged) { loaded += 1 }
            } catch is JSONError {
                unreadable += 1
            } catch is TokenizerError {
                refused += 1
            }
        }
        #expect(loaded > 10 && refused > 3 && unreadable > 30, "\(loaded), \(refused), \(unreadable)")
    }

    /// Loads a description, and lets it encode a text; what comes out only has to be defined.
    private static func encodes(_ description: [UInt8]) throws -> Bool {
        let tokenizer = try Tokenizer(json: JSONValue.parse(description))
        return (try? tokenizer.encode("Hello, wörld 你好 123\n", parseSpecial: true)) != nil
    }

    @Test func precompiledMapsReplaceCharacters() throws {
        // A double array with the one rule "A" -> "b": the root's unit, the unit of 'A', its value.
        var units = [UInt32](repeating: 0, count: 256)
        units[0] = 1 << 10  // Children of the root at index 1 ^ byte.
        units[1 ^ 0x41] = 0x41 | 1 << 8 | 2 << 10  // Has a leaf; its children at index ^ 2.
        units[1 ^ 0x41 ^ 2] = 0x8000_0000  // Value 0: offset of the replacement.
        var blob: [UInt8] = Self.bytes(UInt32(units.count * 4))
        for unit in units { blob += Self.bytes(unit) }
        blob += [0x62, 0]
        let json: JSONValue = [
            "model": ["type": "WordPiece", "vocab": ["[UNK]": 0, "b": 1, "##b": 2, "##c": 3]],
            "normalizer": ["type": "Precompiled", "precompiled_charsmap": .text(Self.base64(blob))],
        ]
        let tokenizer = try Tokenizer(json: json)
        #expect(try tokenizer.encode("AAc", parseSpecial: true) == [1, 2, 3])
    }

    private static func bytes(_ word: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        return stride(from: 0, to: bytes.count, by: 3).map { start in
            let group = bytes[start..<min(start + 3, bytes.count)]
            let missing = 3 - group.count
            let word: UInt32 = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * missing)
            let digits: [Character] = (0..<(4 - missing)).map { alphabet[Int(word >> UInt32(18 - 6 * $0) & 63)] }
            return String(digits) + String(repeating: "=", count: missing)
        }.joined()
    }
}
