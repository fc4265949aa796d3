import DSEngine
import DSTestSupport
import Testing

@Suite("Stop strings")
struct StopStringTests {
    static let cases: [(stops: [String], text: String, expected: String, match: String?)] = [
        ([], "plain", "plain", nil),
        (["END"], "one END two", "one ", "END"),
        (["END"], "one EN", "one EN", nil),
        (["aab"], "aaaab!", "aa", "aab"),
        (["abab", "ba"], "xababa", "xa", "ba"),
        (["bc", "abc"], "xabcx", "x", "abc"),
        (["\n\n", "\nUser:"], "answer\nUser: next", "answer", "\nUser:"),
        (["。", "！"], "你好！再见。", "你好", "！"),
        (["é"], "caf\u{e8} café", "caf\u{e8} caf", "é"),
        (["e\u{301}"], "caf\u{e9}", "caf\u{e9}", nil),
        (["", "x"], "ax", "a", "x"),
        (["</s>"], "<</<</s></s>", "<</<", "</s>"),
    ]

    /// The oracle: of all occurrences the one with the smallest end, then the smallest start.
    @Test("Every way to cut the text gives the same result", arguments: cases.indices)
    func everyCut(index: Int) {
        let (stops, text, expected, match) = Self.cases[index]
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var matcher = StopStringMatcher(stops)
                var found: [UInt8] = []
                var matched: String?
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] where matched == nil {
                    let output = matcher.push(Array(piece))
                    found += output.text
                    matched = output.match
                }
                if matched == nil { found += matcher.flush() }
                #expect(
                    String(decoding: found, as: UTF8.self).utf8.elementsEqual(expected.utf8), "cut \(first), \(second)")
                #expect(matched == match, "cut \(first), \(second)")
            }
        }
    }

    @Test("Random texts over a small alphabet agree with a search over the whole", arguments: UInt64(1)...200)
    func randomTexts(seed: UInt64) {
        var random = SplitMix(seed: seed)
        func text(_ length: Int) -> [UInt8] { (0..<length).map { _ in UInt8(97 + random.below(2)) } }
        let stops = (0..<(1 + random.below(3))).map { _ in text(1 + random.below(5)) }
        let whole = text(random.below(60))
        var expected: (start: Int, end: Int)?
        for end in 0...whole.count where expected == nil {
            for stop in stops where stop.count <= end && whole[(end - stop.count)..<end].elementsEqual(stop) {
                expected = (min(expected?.start ?? .max, end - stop.count), end)
            }
        }
        var matcher = StopStringMatcher(stops.map { String(decoding: $0, as: UTF8.self) })
        var found: [UInt8] = []
        var matched = false
        var position = 0
        while position < whole.count, !matched {
            let end = min(whole.count, position + 1 + random.below(6))
            let output = matcher.push(Array(whole[position..<end]))
            found += output.text
            matched = output.match != nil
            position = end
        }
        if !matched { found += matcher.flush() }
        #expect(matched == (expected != nil), "seed \(seed)")
        #expect(found == Array(whole[..<(expected?.start ?? whole.count)]), "seed \(seed)")
    }
}
