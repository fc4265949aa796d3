import DSSupport
import DSTestSupport
import Testing

@Suite("JSON serialiser") struct JSONSerializerTests {
    static let document: JSONValue = [
        "text": "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}é😀", "list": [1, 2.5, true, nil, []], "empty": [:],
    ]

    // Expected texts are what Python's json.dumps writes for the same document.
    static let formats: [(JSONFormat, String)] = [
        (.compact, #"{"text":"a\"\\/\b\f\n\r\t\u0001\#u{7f}é😀","list":[1,2.5,true,null,[]],"empty":{}}"#),
        (.python, #"{"text": "a\"\\/\b\f\n\r\t\u0001\#u{7f}é😀", "list": [1, 2.5, true, null, []], "empty": {}}"#),
        (
            JSONFormat(itemSeparator: ", ", keySeparator: ": ", ensureASCII: true, sortKeys: true),
            #"{"empty": {}, "list": [1, 2.5, true, null, []], "text": "a\"\\/\b\f\n\r\t\u0001\#u{7f}\u00e9\ud83d\ude00"}"#
        ),
    ]

    @Test(arguments: formats) func writes(format: JSONFormat, expected: String) {
        #expect(Self.document.serializedString(format) == expected)
    }

    @Test func prettyIndents() {
        let value: JSONValue = ["a": [1, []], "b": [:]]
        #expect(value.serializedString(.pretty) == "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": {}\n}")
    }

    // Python: repr(value).
    static let floats: [(Double, String)] = [
        (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1.5, "-1.5"), (0.1, "0.1"), (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (1.5e16, "1.5e+16"), (123456789012345680, "1.2345678901234568e+17"), (9007199254740992, "9007199254740992.0"),
        (1e22, "1e+22"), (1e-4, "0.0001"), (1e-5, "1e-05"), (1.25e-7, "1.25e-07"), (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (3.14159, "3.14159"), (100, "100.0"), (1e100, "1e+100"),
        (0.00012345, "0.00012345"), (.infinity, "null"), (.nan, "null"),
    ]

    @Test(arguments: floats) func floatsFollowPython(value: Double, expected: String) {
        #expect(JSONValue.number(value).serializedString() == expected)
    }

    @Test(arguments: UInt64(1)...4) func numbersRoundTrip(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random))
            guard value.isFinite else { continue }
            #expect(try JSONValue.parse(JSONValue.number(value).serialized()).doubleValue == value)
        }
    }
}

@Suite("JSON accessors") struct JSONValueTests {
    @Test func accessorsAreTyped() throws {
        let value = try JSONValue.parse(#"{"i":2,"d":2.0,"f":2.5,"s":"x","b":true,"n":null,"a":[7]}"#)
        #expect(value["i"]?.intValue == 2 && value["d"]?.intValue == 2 && value["f"]?.intValue == nil)
        #expect(value["i"]?.doubleValue == 2 && value["s"]?.doubleValue == nil)
        #expect(value["s"]?.stringValue == "x" && value["s"]?.bytesValue == [0x78])
        #expect(value["b"]?.boolValue == true && value["n"]?.isNull == true && value["absent"] == nil)
        #expect(value["a"]?[0] == 7 && value["a"]?[1] == nil && value[0] == nil)
    }

    @Test func objectsAreEqualInAnyOrder() {
        let left: JSONValue = ["a": 1, "b": 2]
        let right: JSONValue = ["b": 2, "a": 1]
        #expect(left == right && left != ["a": 1])
    }

    @Test func membersCanBeReplacedAndRemoved() {
        var object = JSONObject()
        for index in 0..<20 { object["k\(index)"] = .integer(Int64(index)) }
        object["k3"] = "three"
        object["k5"] = nil
        #expect(object.count == 19 && object["k3"] == "three" && object["k5"] == nil && object["k19"] == 19)
        #expect(object.map(\.key.string).prefix(5) == ["k0", "k1", "k2", "k3", "k4"])
    }
}
