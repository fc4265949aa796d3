import DSSupport
import DSTestSupport
import Testing

@Suite("JSON parser") struct JSONParserTests {
    static let accepted: [(String, JSONValue)] = [
        ("null", nil), ("true", true), (" false ", false), ("0", 0), ("-0", 0), ("-1", -1), ("\n\t\r 12 ", 12),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", 1.5), ("-0.5", -0.5),
        ("1e3", .number(1000)), ("1E-2", 0.01), ("0e+1", .number(0)), ("123.456e78", 123.456e78),
        ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-400", .number(0)), (#""""#, ""),
        (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u0000""#, "\0"), (#""\u00e9\u4E2D""#, "é中"), (#""\ud83d\ude00""#, "😀"), (#""\uFFFF""#, "\u{FFFF}"),
        (#""日本語 text longer than a word""#, "日本語 text longer than a word"), ("\"\u{7f}\"", "\u{7f}"),
        ("[]", []), ("[ ]", []), ("[1,[2,[]],{}]", [1, [2, []], [:]]), (#"{"":0}"#, ["": 0]),
        (#"{"a" : 1 , "b":[true]}"#, ["a": 1, "b": [true]]), ("[1\n]", [1]), ("\"\u{2028}\"", "\u{2028}"),
    ]

    @Test("accepts", arguments: accepted) func accepts(text: String, expected: JSONValue) throws {
        #expect(try JSONValue.parse(text) == expected)
    }

    static let rejected: [String] = [
        "", " ", "nul", "nulll", "True", "tru", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "{", "{]",
        "{\"a\"",
        "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{1:1}", "{\"a\":1 \"b\":2}",
        "01", "-",
        "-01", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1eE2", "0x1", "1_000", "Infinity", "-Infinity", "NaN", "1e400",
        "-1e400", "2.", "--1", "1a", "\"", "\"a", "'a'", "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\", "\"\\u",
        "\"\\a\"",
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\ud800\\ud800\"", "\"a\nb\"",
        "\"a\tb\"", "\"\0\"",
        "\"\u{1f}\"", "[1]x", "1 2", "//c\n1", "[1]//", "\u{feff}1", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}",
        "\u{a0}1", "[\u{c}1]",
        "{\"a\"::1}", "{,}", "[\"a\":1]", "{\"a\",1}", "\u{0}", "é", "\\u0031",
    ]

    @Test("rejects", arguments: rejected) func rejects(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    static let malformedUTF8: [[UInt8]] = [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80],
        [0xEF, 0xBF],
        [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFF],
        [0xFE, 0xFF],
    ]

    @Test("rejects malformed UTF-8", arguments: malformedUTF8) func rejectsMalformed(bytes: [UInt8]) {
        #expect(throws: JSONError(.invalidUTF8, at: 2)) { try JSONValue.parse([0x22, 0x61] + bytes + [0x22]) }
    }

    @Test func everyScalarSurvives() throws {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 7) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let parsed = try JSONValue.parse(JSONValue.text(String(scalar)).serialized())
            let escaped = try JSONValue.parse(JSONValue.text(String(scalar)).serialized(JSONFormat(ensureASCII: true)))
            #expect(parsed == .text(String(scalar)) && escaped == parsed)
        }
    }

    @Test func depthIsBounded() throws {
        let limits = JSONLimits(maximumDepth: 100)
        let text = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(try JSONValue.parse(text, limits: limits).arrayValue?.count == 1)
        #expect(throws: JSONError(.tooDeep(limit: 100), at: 100)) {
            try JSONValue.parse("[" + text + "]", limits: limits)
        }
        let hostile = String(repeating: "[{\"a\":", count: 1_000_000)
        #expect(throws: JSONError.self) { try JSONValue.parse(hostile) }
    }

    @Test func sizeIsBounded() {
        #expect(throws: JSONError(.tooLarge(bytes: 4, limit: 3), at: 0)) {
            try JSONValue.parse("null", limits: JSONLimits(maximumBytes: 3))
        }
    }

    @Test func duplicateKeysFollowTheLimits() throws {
        let text = #"{"a":1,"b":2,"a":3}"#
        #expect(throws: JSONError(.duplicateKey("a"), at: 13)) { try JSONValue.parse(text) }
        let last = try JSONValue.parse(text, limits: JSONLimits(duplicateKeys: .lastWins))
        #expect(last.objectValue?.keys.map(\.string) == ["a", "b"] && last["a"] == 3)
    }

    @Test func manyKeysKeepOrderAndAreFound() throws {
        let keys = (0..<5000).map { "key\($0 * 7919 % 5000)" }
        let text = "{" + keys.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",") + "}"
        let object = try #require(try JSONValue.parse(text).objectValue)
        #expect(object.keys.map(\.string) == keys)
        #expect(keys.indices.allSatisfy { object[keys[$0]] == .integer(Int64($0)) })
        #expect(object["absent"] == nil)
    }

    @Test func keysCompareByBytes() throws {
        let object = try #require(try JSONValue.parse("{\"\u{e9}\":1,\"e\u{301}\":2}").objectValue)
        #expect(object["\u{e9}"] == 1 && object["e\u{301}"] == 2)
    }

    @Test func truncationsAndMutationsNeverTrap() throws {
        let text = Array(#"{"k":[1,-2.5e3,"é\u00e9\ud83d\ude00",true,null,{"n":{}}],"z":"日本語"}"#.utf8)
        #expect(try JSONValue.parse(text)["z"] == "日本語")
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(text[..<length])) }
        }
        var random = SplitMix(seed: 1)
        var parsed = 0
        for _ in 0..<20_000 {
            var mutated = text
            for _ in 0...random.below(4) { mutated[random.below(text.count)] = UInt8(random.below(256)) }
            // Either outcome is right; what parses must serialise to something that parses to the same value.
            guard let value = try? JSONValue.parse(mutated) else { continue }
            parsed += 1
            #expect(try JSONValue.parse(value.serialized()) == value)
        }
        // Both happened.
        #expect((100..<10_000).contains(parsed), "\(parsed)")
    }
}
