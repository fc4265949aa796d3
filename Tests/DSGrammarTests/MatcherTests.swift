import DSGrammar
import DSSupport
import Testing

@Suite("Matchers")
struct MatcherTests {
    static let sources: [@Sendable () throws -> GrammarSource] = [
        { .jsonObject() },
        { try Letters.schema(SchemaTests.cases[14].schema) },
        { try Letters.schema(SchemaTests.cases[21].schema) },
        { try Letters.schema("{\"type\":\"string\",\"minLength\":30,\"maxLength\":40}") },
        {
            try Letters.schema(
                "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"^[ab\\\"]{2,9}$\"},\"minItems\":2,\"maxItems\":50}"
            )
        },
        { .regex("(?!foo)[a-z]{1,8}|\\d+\\.\\d{2}") },
        { .choice(["true", "tru", "false", "你好", "name"]) },
        { .sequence([.marker("<call>"), .text("ab"), .either([.text("c"), .marker("<call>")])]) },
        { .repeated(.text("ab"), atLeast: 2, atMost: 70) },
        { .bareString(JSONSchemaSource(["type": "string", "minLength": 1]), end: "</") },
        { .gbnf("root ::= \"(\" root \")\" | [a-c]+ | .{2,5}") },
    ]

    /// A mask is right if it holds just the tokens whose bytes the grammar takes one by one, and the end just where the
    /// text is complete. The oracle knows neither the tree of tokens nor bounded counts nor remembered masks.
    @Test("Masks hold what single bytes allow, on random walks", arguments: sources.indices)
    func masks(index: Int) throws {
        let grammar = try Letters.compile(Self.sources[index]())
        for seed in UInt64(0)..<6 {
            var random = RandomText(seed: seed, patience: 25)
            let outcome = try random.next(grammar, limit: 60)
            #expect(outcome.hasWayOn, "seed \(seed)")
            var matcher = GrammarMatcher(grammar)
            for token in outcome.tokens {
                try check(matcher, "seed \(seed)")
                #expect(try matcher.accept(token))
                guard let rest = try matcher.completion() else { continue }
                var end = matcher
                #expect(try end.accept(bytes: rest) && end.isComplete)
            }
            try check(matcher, "seed \(seed)")
        }
    }

    private func check(_ matcher: GrammarMatcher, _ hint: Comment) throws {
        var expected = TokenMask(count: Letters.vocabulary.count)
        for token in Int32(0)..<Int32(Letters.vocabulary.count) {
            var trial = matcher
            let text = Letters.vocabulary.text(of: token)
            if text.isEmpty {
                if Letters.vocabulary.isEnd(token) {
                    if try matcher.isComplete { expected.insert(token) }
                } else if try trial.accept(token) {
                    expected.insert(token)
                }
                continue
            }
            var isAllowed = true
            for byte in text where isAllowed { isAllowed = try trial.accept(bytes: [byte]) }
            if isAllowed { expected.insert(token) }
        }
        let found = try matcher.mask()
        #expect(found.tokens == expected.tokens, hint)
    }

    @Test("Every walk can be completed", arguments: sources.indices)
    func completable(index: Int) throws {
        let grammar = try Letters.compile(Self.sources[index]())
        var completed = 0
        for seed in UInt64(0)..<40 {
            var random = RandomText(seed: seed, patience: Int(seed % 30))
            let outcome = try random.next(grammar, limit: 2000)
            #expect(outcome.hasWayOn, "seed \(seed)")
            if outcome.isComplete { completed += 1 }
        }
        #expect(completed >= 30)
    }

    @Test("A copy is a place to go back to; a refused token changes nothing")
    func copies() throws {
        var matcher = GrammarMatcher(try Letters.compile(.choice(["abc", "abd"])))
        #expect(try matcher.accept(97))
        let before = matcher
        #expect(try matcher.accept(98))
        #expect(try matcher.accept(99))
        #expect(try matcher.isFinal)
        #expect(try !matcher.accept(99))
        #expect(try matcher.isComplete)
        matcher = before
        #expect(try !matcher.accept(100))
        #expect(try matcher.mask().tokens == [98])
    }

    @Test("Equal sources compile once; the least used is forgotten")
    func cache() throws {
        let cache = GrammarCache(vocabulary: Letters.vocabulary, capacity: 2)
        let first = try cache.grammar(.regex("a+"))
        #expect(try cache.grammar(.regex("a+")) === first)
        _ = try cache.grammar(.regex("b+"))
        _ = try cache.grammar(.regex("a+"))
        _ = try cache.grammar(.regex("c+"))
        #expect(try cache.grammar(.regex("a+")) === first)
        #expect(cache.statistics.count == 2)
        #expect(cache.statistics.hits == 3)
    }

    @Test("Long counts share masks")
    func counts() throws {
        let grammar = try Letters.compile(Letters.schema("{\"type\":\"string\",\"minLength\":5000,\"maxLength\":9000}"))
        var matcher = GrammarMatcher(grammar)
        #expect(try matcher.accept(bytes: "\"".utf8))
        for _ in 0..<4000 {
            _ = try matcher.mask()
            #expect(try matcher.accept(97))
        }
        #expect(grammar.size.walks < 10)
    }
}
