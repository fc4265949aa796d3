import DSSupport
import DSTestSupport
import DSTokenizers
import Testing

@Suite("Normalisers") struct NormalizerTests {
    /// Bytes as tokens behind one normaliser: decoding shows the normalised text.
    private static func tokenizer(_ normalizer: JSONValue) throws -> Tokenizer {
        var json = try #require(try TokenizerFixture("llama3-style").document["tokenizer"]?.objectValue)
        json["normalizer"] = normalizer
        return try Tokenizer(json: .object(json))
    }

    static let cases: [(String, String, String)] = [
        // Unicode standard annex 15, figures 3 to 6, and the reordering of marks.
        ("NFC", "\u{212B}\u{2126}", "\u{C5}\u{3A9}"), ("NFD", "\u{C5}\u{F4}", "A\u{30A}o\u{302}"),
        ("NFC", "\u{1E0B}\u{323}", "\u{1E0D}\u{307}"), ("NFD", "\u{1E0B}\u{323}", "d\u{323}\u{307}"),
        ("NFC", "q\u{307}\u{323}", "q\u{323}\u{307}"), ("NFC", "\u{FB01}2\u{2075}", "\u{FB01}2\u{2075}"),
        ("NFKC", "\u{FB01}2\u{2075}", "fi25"), ("NFKD", "\u{1E9B}\u{323}", "s\u{323}\u{307}"),
        ("NFKC", "\u{1E9B}\u{323}", "\u{1E69}"),
        ("NFC", "\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), ("NFD", "\u{AC01}", "\u{1100}\u{1161}\u{11A8}"),
        ("NFC", "\u{AC00}\u{11A8}x\u{1161}", "\u{AC01}x\u{1161}"),
        ("NFC", "\u{958}\u{1D15E}", "\u{915}\u{93C}\u{1D157}\u{1D165}"),
        ("NFC", "e\u{301}e\u{300}e", "\u{E9}\u{E8}e"), ("NFC", "\u{301}a", "\u{301}a"),
        ("NFC", "a\u{315}\u{300}\u{5AE}b", "\u{E0}\u{5AE}\u{315}b"),
        ("NFC", "\u{344}", "\u{308}\u{301}"), ("NFC", "plain ascii", "plain ascii"), ("NFC", "", ""),
        ("Lowercase", "ÀÉ ABC \u{130}", "àé abc i\u{307}"), ("StripAccents", "e\u{301}x", "ex"),
        ("Strip", " \u{3000}a b\n", "a b"),
    ]

    @Test(arguments: cases) func normalize(type: String, input: String, expected: String) throws {
        let tokenizer = try Self.tokenizer(["type": .text(type)])
        #expect(sameBytes(try tokenizer.decode(try tokenizer.encode(input, parseSpecial: false)), expected))
    }

    /// Normal forms are stable: NFC(NFC(x)) = NFC(x) and NFC(NFD(x)) = NFC(x), over all scalars in random company.
    @Test(arguments: UInt64(1)...3) func formsAreConsistent(seed: UInt64) throws {
        let nfc = try Self.tokenizer(["type": "NFC"])
        let nfd = try Self.tokenizer(["type": "NFD"])
        func apply(_ tokenizer: Tokenizer, _ text: String) throws -> String {
            try tokenizer.decode(try tokenizer.encode(text, parseSpecial: false))
        }
        var random = SplitMix(seed: seed)
        var text = ""
        for value in UInt32(0x80)..<0x30000 where value % 3 == 0 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            text.unicodeScalars.append(scalar)
            if let mark = Unicode.Scalar(UInt32.random(in: 0x300...0x345, using: &random)) {
                text.unicodeScalars.append(mark)
            }
        }
        let composed = try apply(nfc, text)
        #expect(sameBytes(try apply(nfc, composed), composed))
        #expect(sameBytes(try apply(nfc, try apply(nfd, text)), composed))
    }
}
