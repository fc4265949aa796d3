import DSGrammar
import Testing

@Suite("Rule grammars")
struct GBNFTests {
    @Test("llama.cpp's arithmetic example")
    func arithmetic() throws {
        let grammar = try Letters.compile(
            .gbnf(
                """
                # a comment
                root  ::= (expr "=" ws term "\\n")+
                expr  ::= term ([-+*/] term)*
                term  ::= ident | num | "(" ws expr ")" ws
                ident ::= [a-z] [a-z0-9_]* ws
                num   ::= [0-9]+ ws
                ws    ::= [ \\t\\n]*
                """))
        #expect(try Letters.accepts(grammar, "x+(1*y2)=3\n"))
        #expect(try Letters.accepts(grammar, "a = b\nc=d\n"))
        #expect(try !Letters.accepts(grammar, "x+=3\n"))
        #expect(try !Letters.accepts(grammar, "((x)=3\n"))
    }

    @Test("Rules may be recursive, and begin with themselves")
    func recursive() throws {
        let balanced = try Letters.compile(.gbnf("root ::= \"(\" root \")\" | \"\""))
        #expect(try Letters.accepts(balanced, String(repeating: "(", count: 500) + String(repeating: ")", count: 500)))
        #expect(try !Letters.accepts(balanced, "(()"))
        let sum = try Letters.compile(.gbnf("root ::= root \"+\" n | n\nn ::= [0-9]{1,3}"))
        #expect(try Letters.accepts(sum, "1+22+333"))
        #expect(try !Letters.accepts(sum, "1+"))
    }

    @Test("Tokens by number and by spelling")
    func tokens() throws {
        let grammar = try Letters.compile(.gbnf("root ::= \"a\" <call> \"b\" | <[\(Letters.marker)]>"))
        var matcher = GrammarMatcher(grammar)
        #expect(try matcher.mask().contains(Letters.marker))
        #expect(try matcher.accept(97))
        #expect(try matcher.mask().tokens == [Letters.marker])
        #expect(try matcher.accept(Letters.marker))
        #expect(try !matcher.isComplete)
        #expect(try matcher.accept(98))
        #expect(try matcher.mask().tokens == [Letters.end])
        #expect(try matcher.accept(Letters.end))
        #expect(try matcher.mask().isEmpty)
    }

    @Test(
        "Errors say what is wrong",
        arguments: [
            ("root = \"a\"", "'::='"), ("root ::= x", "a rule 'x'"), ("a ::= \"b\"", "a rule 'root'"),
            ("root ::= a\na ::= b\nb ::= a \"x\"", "left recursion"), ("root ::= \"a\" root", "some text matches"),
            ("root ::= \"a", "end of a string"), ("root ::= <nobody>", "control token"),
            ("root ::= \"a\"\nroot ::= \"b\"", "two of"),
        ])
    func refused(text: String, message: String) throws {
        let error = #expect(throws: GrammarError.self) { try Letters.compile(.gbnf(text)) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }
}
