import DSGrammar
import DSSupport
import Testing

/// Sources that cost much more than they look. Each is compiled or refused after a bounded count of steps, and so is what
/// it does while it is used: counts, since no clock tells what another machine would do.
@Suite("Hostile grammars")
struct HostileGrammarTests {
    static let limits = GrammarLimits()

    static func rules(_ count: Int, _ body: (Int) -> String, last: String) -> String {
        "root ::= a0\n" + (0..<count).map { "a\($0) ::= \(body($0))\n" }.joined() + "a\(count) ::= \(last)"
    }

    static func definitions(_ count: Int, _ body: (String) -> String, last: String, root: String) -> String {
        let parts = (0..<count).map { "\"d\($0)\":" + body("{\"$ref\":\"#/$defs/d\($0 + 1)\"}") }
        return "{\"$defs\":{\(parts.joined(separator: ",")),\"d\(count)\":\(last)},\(root)}"
    }

    static func schema(_ text: String) throws -> GrammarSource { try Letters.schema(text) }

    // MARK: Doubling that became cheap

    @Test(
        "Rules that refer to the next one twice cost no more than their number",
        arguments: ["\"x\" | \"\"", "\"x\""])
    func doubledRules(last: String) throws {
        let grammar = try Letters.compile(.gbnf(Self.rules(40, { "a\($0 + 1) a\($0 + 1)" }, last: last)))
        var matcher = GrammarMatcher(grammar)
        let mask = try matcher.mask()
        #expect(mask.contains(120) && !mask.contains(121))
        #expect(try matcher.accept(120))
        #expect(grammar.size.compileWork < Self.limits.compileWork / 30)
        #expect(grammar.size.largestStepWork < Self.limits.stepWork / 8)
    }

    @Test("References that hold twice are followed once")
    func doubledReferences() throws {
        let text = Self.definitions(
            40, { "{\"allOf\":[\($0),\($0)]}" }, last: "{\"type\":\"string\"}", root: "\"$ref\":\"#/$defs/d0\"")
        let grammar = try Letters.compile(Self.schema(text))
        #expect(try Letters.accepts(grammar, "\"x\""))
        #expect(try !Letters.accepts(grammar, "1"))
        #expect(grammar.size.compileWork < Self.limits.compileWork / 30)
    }

    @Test("Two spellings of one reference double nothing either")
    func spelledReferences() throws {
        let parts = (0..<40).map {
            "\"d\($0)\":{\"allOf\":[{\"$ref\":\"#/$defs/d\($0 + 1)\"},{\"$ref\":\"#/$defs/%64\($0 + 1)\"}]}"
        }
        let text = "{\"$defs\":{\(parts.joined(separator: ",")),\"d40\":{\"type\":\"null\"}},\"$ref\":\"#/$defs/d0\"}"
        let grammar = try Letters.compile(Self.schema(text))
        #expect(try Letters.accepts(grammar, "null"))
        #expect(grammar.size.compileWork < Self.limits.compileWork / 30)
    }

    @Test("A rule per level of a long chain settles in one go")
    func chains() throws {
        let grammar = try Letters.compile(.gbnf(Self.rules(5_000, { "\"x\" a\($0 + 1)" }, last: "\"y\"")))
        var matcher = GrammarMatcher(grammar)
        #expect(try matcher.accept(bytes: "xxx".utf8))
        #expect(grammar.size.compileWork < Self.limits.compileWork / 10)
    }

    // MARK: What is refused

    static let refused: [@Sendable () throws -> GrammarSource] = [
        // Alternatives of which none is left to be counted.
        {
            try schema(
                definitions(40, { "{\"anyOf\":[\($0),\($0)]}" }, last: "false", root: "\"$ref\":\"#/$defs/d0\""))
        },
        // Negations of references.
        {
            try schema(
                definitions(
                    40, { "{\"anyOf\":[{\"not\":\($0)},{\"not\":\($0)}]}" }, last: "{\"type\":\"string\"}",
                    root: "\"$ref\":\"#/$defs/d0\""))
        },
        // Every subset of the letters is a state.
        {
            let parts = "abcdefghijklmnopqrst".map { "{\"pattern\":\".*\($0).*\"}" }
            return try schema("{\"type\":\"string\",\"allOf\":[\(parts.joined(separator: ","))]}")
        },
        // Values compared with each other.
        {
            let values = (0..<9_000).map(String.init).joined(separator: ",")
            return try schema("{\"allOf\":[{\"enum\":[\(values)]},{\"enum\":[\(values)]}]}")
        },
        { .regex(String(repeating: "[\\p{L}]\\p{Lo}", count: 20_000)) },
        // Tags inside each other, each of which stands in two places.
        {
            var node = "{\"type\":\"const_string\",\"value\":\"x\"}"
            for _ in 0..<24 {
                let tag = "{\"begin\":\"<\",\"content\":\(node),\"end\":\">\"}"
                node = "{\"type\":\"tags_with_separator\",\"separator\":\",\",\"tags\":[\(tag)]}"
            }
            let value = try JSONValue.parse("{\"type\":\"structural_tag\",\"format\":\(node)}")
            return .structuralTag(StructuralTagSource(value))
        },
        { .gbnf("root ::= \"a\"" + String(repeating: "*", count: 50_000)) },
        { .gbnf(rules(20_000, { "a\($0 + 1)" }, last: "\"x\"")) },
        { .choice((0..<3_000).map { String(repeating: "x", count: $0) }) },
    ]

    @Test("The error names the limit", arguments: refused.indices)
    func refusedSources(index: Int) throws {
        let error = #expect(throws: GrammarError.self) { try Letters.compile(Self.refused[index]()) }
        guard case .tooLarge(_, let limit) = error else {
            Issue.record("expected a limit, found \(String(describing: error))")
            return
        }
        let limits = [
            Self.limits.compileWork, Self.limits.alternatives, Self.limits.depth, Self.limits.sourceBytes,
            Self.limits.terms, Self.limits.searchStates,
        ]
        #expect(limits.contains(limit), "\(String(describing: error))")
    }

    @Test("A smaller budget refuses more, a larger one nothing that a smaller one took")
    func budgets() throws {
        let source = try Self.schema(SchemaTests.cases[14].schema)
        let needed = try Letters.compile(source).size.compileWork
        #expect(needed > 0)
        for (budget, isEnough) in [(needed / 2, false), (needed - 1, false), (needed, true)] {
            var limits = Self.limits
            limits.compileWork = budget
            let grammar = try? CompiledGrammar(source, vocabulary: Letters.vocabulary, limits: limits)
            #expect((grammar != nil) == isEnough, "\(budget) of \(needed)")
        }
    }

    // MARK: While it is used

    static let growing: [@Sendable () throws -> GrammarSource] = [
        { .regex("abcdefghijk".map { "(?=.*\($0))" }.joined() + ".*") },
        { .regex("abcdefghijklmnopqrst".map { "(?=.*\($0))" }.joined() + ".*") },
        { .regex("abcdefgh".map { "(?=.*\($0))" }.joined() + ".*") },
        { try schema("{\"type\":\"integer\",\"minimum\":-1e60,\"maximum\":1e63,\"multipleOf\":7919}") },
        { .gbnf("root ::= \"a\" root \"b\" | root2\nroot2 ::= (\"a\" | \"aa\"){1,5000} \"b\"?") },
        { .gbnf(rules(30, { "a\($0 + 1) a\($0 + 1) | \"y\"" }, last: "\"x\" | \"\"")) },
        { .regex("(a|b)*a(a|b){18}") },
    ]

    enum Fate: Equatable {
        /// A limit is reached while it is compiled.
        case refused
        /// A limit is reached on one of the walks.
        case stopped
        /// All walks come to their end.
        case walked
    }

    /// What becomes of each of `growing`.
    static let fates: [Fate] = [.refused, .refused, .walked, .stopped, .walked, .walked, .walked]

    /// Whatever a text does, one mask or token takes no more than its steps; a grammar that needs more fails with the
    /// name of the limit.
    @Test("Steps are bounded on walks")
    func walks() throws {
        var found: [Fate] = []
        for source in Self.growing { found.append(try Self.fate(of: source)) }
        #expect(found == Self.fates)
    }

    private static func fate(of source: () throws -> GrammarSource) throws -> Fate {
        guard let grammar = try Self.unlessTooLarge({ try Letters.compile(source()) }) else { return .refused }
        #expect(grammar.size.compileWork <= Self.limits.compileWork)
        var fate = Fate.walked
        for seed in UInt64(0)..<3 {
            let steps = try Self.unlessTooLarge { try Self.walk(grammar, seed) }
            if let steps { #expect(steps > 0) } else { fate = .stopped }
            // What was begun when the steps ran out is done.
            #expect(grammar.size.largestStepWork <= (fate == .stopped ? 2 : 1) * Self.limits.stepWork)
        }
        return fate
    }

    /// The tokens that it took.
    private static func walk(_ grammar: CompiledGrammar, _ seed: UInt64) throws -> Int {
        var matcher = GrammarMatcher(grammar)
        let limit = 20
        for step in 0..<limit {
            let tokens = try matcher.mask().tokens.filter { !Letters.vocabulary.isEnd($0) }
            guard !tokens.isEmpty else { return step }
            #expect(try matcher.accept(tokens[Int(seed &* 31 &+ UInt64(step) &* 17) % tokens.count]))
        }
        return limit
    }

    /// Nil if a limit was reached; other errors are thrown.
    private static func unlessTooLarge<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch GrammarError.tooLarge {
            return nil
        }
    }

    @Test("What failed for want of steps leaves no trace: repeated, it goes on, and the masks are the same")
    func noTrace() throws {
        var limits = Self.limits
        limits.stepWork = 2_000
        let small = try CompiledGrammar(.jsonObject(), vocabulary: Letters.vocabulary, limits: limits)
        let large = try Letters.compile(.jsonObject())
        var failures = 0
        func persistently<Result>(_ body: () throws -> Result) throws -> Result {
            while true {
                do {
                    return try body()
                } catch {
                    failures += 1
                    guard failures < 10_000 else { throw error }
                }
            }
        }
        var texts = RandomText(seed: 3)
        var (left, right) = (GrammarMatcher(small), GrammarMatcher(large))
        for token in try texts.next(large, limit: 60).tokens {
            let mask = try persistently { try left.mask() }
            #expect(try mask == right.mask())
            #expect(try persistently { try left.accept(token) })
            #expect(try right.accept(token))
        }
        #expect(failures > 0)
    }

    // MARK: What is kept

    @Test("The cache forgets what is too large together")
    func cacheBytes() throws {
        let one = try Letters.compile(.regex("a{3}[b-d]+")).bytes
        let cache = GrammarCache(vocabulary: Letters.vocabulary, capacity: 64, byteCapacity: 5 * one)
        for letter in "efghijklmnopqrst" { _ = try cache.grammar(.regex("a{3}[b-\(letter)]+")) }
        #expect((2...6).contains(cache.statistics.count), "\(cache.statistics.count)")
        #expect(cache.bytes <= 5 * one)
        let last = try cache.grammar(.regex("a{3}[b-t]+"))
        #expect(try cache.grammar(.regex("a{3}[b-t]+")) === last)
    }

    @Test("Masks are forgotten beyond their bytes, and are the same when they are computed again")
    func maskBytes() throws {
        var limits = Self.limits
        limits.maskBytes = 200
        let grammar = try CompiledGrammar(
            .gbnf("root ::= \"a\" root \"b\" | \"c\""), vocabulary: Letters.vocabulary, limits: limits)
        for _ in 0..<2 {
            var matcher = GrammarMatcher(grammar)
            for _ in 0..<200 { #expect(try matcher.accept(97)) }
            #expect(try matcher.accept(99))
            for _ in 0..<200 {
                #expect(try matcher.mask().contains(98))
                #expect(try matcher.accept(98))
            }
        }
        #expect(grammar.size.masks < 20)
    }
}
