import DSGrammar
import DSSupport
import Testing

@Suite("Structural tags")
struct StructuralTagTests {
    static func compile(_ text: String) throws -> CompiledGrammar {
        try Letters.compile(.structuralTag(StructuralTagSource(try JSONValue.parse(text))))
    }

    static let tags = """
        [{"type": "tag", "begin": "<f=add>", "content": {"type": "json_schema", "json_schema": {"type": "integer"}}, \
        "end": "</f>"},
         {"type": "tag", "begin": "<f=now>", "content": {"type": "const_string", "value": "{}"}, "end": "</f>"}]
        """
    static let older = """
        {"type": "structural_tag", "triggers": ["<f="], "structures": [
          {"begin": "<f=add>", "schema": {"type": "integer"}, "end": "</f>"},
          {"begin": "<f=now>", "schema": {"const": {}}, "end": "</f>"}]}
        """

    static func format(_ text: String) -> String { #"{"type": "structural_tag", "format": \#(text)}"# }

    static func triggered(_ more: String = "") -> String {
        format(#"{"type": "triggered_tags", "triggers": ["<f="], "tags": \#(tags)\#(more)}"#)
    }

    @Test(
        "Free text, and tags behind triggers", arguments: [older, triggered()],
        [
            ("", true), ("no tags < at all <f", true), ("你好", true), ("<f=add>12</f>", true),
            ("a <f=add>-3</f> b <f=now>{}</f><f=add>0</f>", true), ("<<f=now>{}</f>", true), ("<f=add>12", false),
            ("see <f=", false), ("<f=add>x</f>", false), ("<f=sub>1</f>", false), ("<f=add>1</f><f=now>[]</f>", false),
            ("<f=add> 1</f>", false),
        ])
    func triggers(tag: String, text: (text: String, isAllowed: Bool)) throws {
        #expect(try Letters.accepts(Self.compile(tag), text.text) == text.isAllowed, "\(text.text)")
    }

    @Test(
        "How many tags, and what stands around them",
        arguments: [
            (#", "at_least_one": true"#, "<f=add>1</f> x", true), (#", "at_least_one": true"#, "", false),
            (#", "at_least_one": true"#, "x <f=add>1</f>", false), (#", "stop_after_first": true"#, "x", true),
            (#", "stop_after_first": true"#, "x<f=add>1</f>", true),
            (#", "stop_after_first": true"#, "x<f=add>1</f>y", false),
            (#", "stop_after_first": true, "at_least_one": true"#, "<f=now>{}</f>", true),
            (#", "stop_after_first": true, "at_least_one": true"#, "", false), (#", "excludes": ["no"]"#, "nO", true),
            (#", "excludes": ["no"]"#, "<f=add>1</f>no", false),
        ])
    func counts(more: String, text: String, isAllowed: Bool) throws {
        #expect(try Letters.accepts(Self.compile(Self.triggered(more)), text) == isAllowed)
    }

    @Test(
        "Formats",
        arguments: [
            (#"{"type": "any_text"}"#, ["", "a你"], []),
            (#"{"type": "any_text", "excludes": ["ab"], "max_chars": 3}"#, ["", "a你b"], ["ab", "xab", "aaaa"]),
            (#"{"type": "regex", "pattern": "[a-c]{2}"}"#, ["ab"], ["a", "abc"]),
            (#"{"type": "grammar", "grammar": "root ::= \"yes\" | \"no\""}"#, ["yes", "no"], ["maybe"]),
            (
                #"{"type": "sequence", "elements": [{"type": "const_string", "value": "A"}, {"type": "or", "elements": [{"type": "const_string", "value": "B"}, {"type": "json_schema", "json_schema": {"type": "boolean"}}]}]}"#,
                ["AB", "Atrue"], ["A", "ABtrue"]
            ),
            (#"{"type": "optional", "content": {"type": "const_string", "value": "x"}}"#, ["", "x"], ["xx"]),
            (#"{"type": "plus", "content": {"type": "const_string", "value": "x"}}"#, ["x", "xx"], [""]),
            (#"{"type": "star", "content": {"type": "const_string", "value": "x"}}"#, ["", "xxx"], ["y"]),
            (
                #"{"type": "repeat", "min": 1, "max": 2, "content": {"type": "const_string", "value": "x"}}"#,
                ["x", "xx"],
                ["", "xxx"]
            ),
            (
                #"{"type": "repeat", "min": 2, "max": -1, "content": {"type": "const_string", "value": "x"}}"#,
                ["xxxx"], ["x"]
            ),
            (
                #"{"type": "tag", "begin": "<a>", "content": {"type": "any_text"}, "end": ["</a>", "!"]}"#,
                ["<a>x</a>", "<a>!", "<a><</a>"], ["<a>x", "<a>x</a>y</a>", "<a>!!"]
            ),
            (
                #"{"type": "tag", "begin": "<a>", "content": {"type": "any_text", "max_chars": 2}, "end": "</a>"}"#,
                ["<a>xy</a>"], ["<a>xyz</a>"]
            ),
            (
                #"{"type": "tags_with_separator", "separator": ",", "tags": \#(tags)}"#,
                ["", "<f=add>1</f>", "<f=add>1</f>,<f=now>{}</f>"], ["<f=add>1</f>,", "<f=add>1</f><f=now>{}</f>"]
            ),
            (
                #"{"type": "tags_with_separator", "separator": ",", "tags": \#(tags), "at_least_one": true, "stop_after_first": true}"#,
                ["<f=add>1</f>"], ["", "<f=add>1</f>,<f=now>{}</f>"]
            ),
            (
                #"{"type": "dispatch", "rules": [["@", {"type": "json_schema", "json_schema": {"type": "boolean"}}]], "excludes": ["."]}"#,
                ["", "a@true b@false", "@true"], ["@", "@maybe", "a.b"]
            ),
            (
                #"{"type": "dispatch", "rules": [["@", {"type": "json_schema", "json_schema": {"type": "boolean"}}]], "loop": false}"#,
                ["", "a@true"], ["@true b"]
            ),
            (
                #"{"type": "tag", "begin": "(", "end": ")", "content": {"type": "triggered_tags", "triggers": ["<f="], "tags": \#(tags)}}"#,
                ["()", "(a<f=add>1</f>)"], ["(a)b)", "(<f=x>)"]
            ),
        ] as [(String, [String], [String])])
    func formats(format: String, allowed: [String], others: [String]) throws {
        let grammar = try Self.compile(Self.format(format))
        for text in allowed { #expect(try Letters.accepts(grammar, text), "\(text)") }
        for text in others { #expect(try !Letters.accepts(grammar, text), "\(text)") }
    }

    @Test("A trigger that occurs twice in itself counts where it ends first")
    func overlaps() throws {
        let grammar = try Self.compile(
            Self.format(
                #"{"type": "triggered_tags", "triggers": ["aa"], "tags": [{"begin": "aab", "content": {"type": "const_string", "value": ""}, "end": "."}]}"#
            ))
        #expect(try Letters.accepts(grammar, "xaab.a"))
        #expect(try !Letters.accepts(grammar, "aaab."))
    }

    @Test("Control tokens stand for their spellings")
    func controlTokens() throws {
        for trigger in ["<call>", "<c"] {
            let grammar = try Self.compile(
                Self.format(
                    #"{"type": "triggered_tags", "triggers": ["\#(trigger)"], "tags": [{"begin": "<call>", "content": {"type": "json_schema", "json_schema": {"const": 1}}, "end": "<call>"}]}"#
                ))
            var matcher = GrammarMatcher(grammar)
            #expect(try matcher.accept(bytes: "say ".utf8))
            #expect(try matcher.mask().contains(Letters.marker))
            #expect(try matcher.accept(Letters.marker))
            #expect(try !matcher.isComplete)
            #expect(try matcher.mask().tokens == [49])
            #expect(try matcher.accept(49))
            #expect(try matcher.accept(Letters.marker))
            #expect(try matcher.isComplete)
            #expect(try Letters.accepts(grammar, "a<call>1<call>b"))
        }
        let token = try Self.compile(
            Self.format(
                #"{"type": "tag", "begin": {"type": "token", "token": "<call>"}, "content": {"type": "any_text"}, "end": {"type": "token", "token": \#(Letters.marker)}}"#
            ))
        var matcher = GrammarMatcher(token)
        #expect(try matcher.mask().tokens == [Letters.marker])
        #expect(try matcher.accept(Letters.marker) && matcher.accept(97) && matcher.accept(Letters.marker))
        #expect(try matcher.isFinal)
    }

    @Test(
        "What cannot be kept is refused by name",
        arguments: [
            (#"{"type": "yaml", "format": {}}"#, "type"), (format("[]"), "format: expected an object"),
            (format(#"{"type": "any_tokens"}"#), "any_tokens"),
            (format(#"{"type": "any_text", "max_tokens": 4}"#), "max_tokens"),
            (format(#"{"type": "json_schema", "json_schema": {}, "style": "qwen_xml"}"#), "style"),
            (format(#"{"type": "json_schema", "json_schema": {}, "any_order": true}"#), "any_order"),
            (format(#"{"type": "json_schema", "json_schema": {"uniqueItems": true}}"#), "uniqueItems"),
            (format(#"{"type": "repeat", "min": 2, "max": 1, "content": {"type": "any_text"}}"#), "format.max"),
            (format(#"{"type": "sequence", "elements": []}"#), "format.elements"),
            (
                #"{"structures": [{"begin": "<g>", "schema": {}, "end": "</g>"}], "triggers": ["<f"]}"#,
                "structures[0].begin"
            ),
            (
                #"{"structures": [{"begin": "<f>", "schema": {}, "end": "</f>"}], "triggers": ["<f", "<g"]}"#,
                "triggers"
            ),
            (#"{"structures": [{"begin": "<f>", "schema": {}, "end": "</f>"}]}"#, "triggers"),
            (#"{"structures": [{"begin": "<f>", "end": "</f>"}], "triggers": ["<"]}"#, "structures[0].schema"),
            (
                format(#"{"type": "dispatch", "rules": [["a", {"type": "any_text"}], ["ab", {"type": "any_text"}]]}"#),
                "rules[1]"
            ),
        ])
    func refused(tag: String, message: String) throws {
        let error = #expect(throws: GrammarError.self) { try Self.compile(tag) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    /// Every text that the masks allow is one that the tag allows, read by other means.
    @Test(
        "Random texts hold nothing but free text and whole tags",
        arguments: [
            older.replacing(#""triggers""#, with: #""at_least_one": true, "triggers""#),
            triggered(#", "at_least_one": true"#),
        ])
    func randomTexts(tag: String) throws {
        let grammar = try Self.compile(tag.replacing("<f=", with: "<"))
        var tags = 0
        for seed in UInt64(0)..<40 {
            var random = RandomText(seed: seed, patience: 30)
            let outcome = try random.next(grammar, limit: 400)
            #expect(outcome.hasWayOn)
            guard outcome.isComplete else { continue }
            let text = String(decoding: outcome.text, as: UTF8.self)
            // Behind each `<` stands a begin or, within a tag, its end.
            let pieces = text.split(separator: "<", omittingEmptySubsequences: false)
            #expect(pieces.count % 2 == 1 && pieces[0].isEmpty)
            for (index, piece) in pieces.enumerated().dropFirst() {
                if index % 2 == 0 {
                    #expect(piece.hasPrefix("/f>"))
                } else {
                    #expect(piece == "now>{}" || piece.wholeMatch(of: /add>-?[0-9]+/) != nil, "\(piece)")
                    tags += 1
                }
            }
        }
        #expect(tags > 30)
    }
}
