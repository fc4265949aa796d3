import DSGrammar
import Testing

@Suite("Patterns")
struct PatternTests {
    struct Case: Sendable {
        let pattern: String
        let matching: [String]
        let others: [String]
    }

    static let cases = [
        Case(pattern: "abc", matching: ["abc"], others: ["", "ab", "abcd", "xabc"]),
        Case(pattern: "^a|b$", matching: ["a", "b"], others: ["ab", ""]),
        Case(pattern: "a{2,3}", matching: ["aa", "aaa"], others: ["a", "aaaa"]),
        Case(pattern: "(ab|cd)*e?", matching: ["", "e", "abcde", "cdcd"], others: ["abe ", "ac"]),
        Case(pattern: "[^a-c\\d]", matching: ["d", "你", "-"], others: ["a", "5", "", "dd"]),
        Case(pattern: "\\d{3}-\\d{4}", matching: ["123-4567"], others: ["123-456", "1234567"]),
        Case(pattern: "[a-z]+@[a-z]+\\.com", matching: ["me@here.com"], others: ["@here.com", "me@here,com"]),
        Case(pattern: "(?!foo)[a-z]+", matching: ["fo", "bar", "fox"], others: ["foo", "foobar"]),
        Case(pattern: "(?=.*\\d)[a-z0-9]{2,4}", matching: ["a1", "1234"], others: ["ab", "1", "abcd1"]),
        Case(pattern: "[äöü你]+", matching: ["ä", "你ö"], others: ["a", "\u{E4B}"]),
        Case(pattern: "\\u00e4\\x41\\u{1F600}", matching: ["äA😀"], others: ["aA😀"]),
        Case(pattern: ".", matching: ["a", "你", "😀", "\u{7F}"], others: ["\n", "", "aa"]),
        Case(pattern: "(a|ab)(c|bcd)(d*)", matching: ["abcd", "acd", "abcdd"], others: ["abcbd"]),
        Case(pattern: "(a*)*b", matching: ["b", "aaab"], others: ["", "a"]),
        Case(pattern: "(a?){3}", matching: ["", "a", "aaa"], others: ["aaaa"]),
    ]

    @Test("A pattern matches what it matches as a whole", arguments: cases.indices)
    func whole(index: Int) throws {
        let grammar = try Letters.compile(.regex(Self.cases[index].pattern))
        for text in Self.cases[index].matching { #expect(try Letters.accepts(grammar, text), "\(text)") }
        for text in Self.cases[index].others { #expect(try !Letters.accepts(grammar, text), "\(text)") }
    }

    @Test(
        "What cannot be read or done is an error that says so",
        arguments: [
            ("(a", "')'"), ("a{3,2}", "ascending"), ("[z-a]", "ascending"), ("*a", "something to repeat"),
            ("(a)\\1", "references"), ("\\ba", "bounds of words"), ("(?<=a)b", "looking behind"), ("\\q", "escape"),
            ("a{1000000}", "at most"), ("x$y", "anchor"), ("[^\\s\\S]", "none that does"),
        ])
    func refused(pattern: String, message: String) throws {
        let error = #expect(throws: GrammarError.self) { try Letters.compile(.regex(pattern)) }
        if message != "none that does" {
            #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        }
    }

    @Test("Deep nesting is an error, not a crash")
    func deep() throws {
        let pattern = String(repeating: "(", count: 100_000) + String(repeating: ")", count: 100_000)
        #expect(throws: GrammarError.self) { try Letters.compile(.regex(pattern)) }
        let grammar = "root ::= " + String(repeating: "(", count: 100_000) + "\"a\""
        #expect(throws: GrammarError.self) { try Letters.compile(.gbnf(grammar)) }
        let schema = String(repeating: "{\"items\":", count: 500) + "{}" + String(repeating: "}", count: 500)
        #expect(throws: (any Error).self) { try Letters.compile(Letters.schema(schema)) }
    }
}
