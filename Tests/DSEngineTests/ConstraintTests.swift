import DSEngine
import DSGrammar
import DSSupport
import DSTestSupport
import Testing

/// Constraints over the scripted model, whose opinions have nothing to do with any grammar.
@Suite("Constraints")
struct ConstraintTests {
    static let endToken: Int32 = 9

    static func vocabulary(endTokens: [Int32] = [endToken]) -> GrammarVocabulary {
        let padding = [[UInt8]](repeating: [], count: 61 - LetterTokenizer.pieces.count)
        return GrammarVocabulary(
            texts: LetterTokenizer.pieces + padding,
            controlTokens: [
                LetterTokenizer.open: Array("<think>".utf8), LetterTokenizer.close: Array("</think>".utf8),
            ], endTokens: endTokens)
    }

    static let sources: [GrammarSource] = [
        .regex("[a-h ]{4,20}"), .choice(["abc", "abdcc", "dd STOP"]), .regex("(ab|cd STOP)*[A-F]{3}"),
        .gbnf("root ::= \"a\" root \"b\" | [c-f]{1,3}"), .regex("(你|x){3,9}"),
    ]

    static func text(_ tokens: [Int32]) -> [UInt8] { tokens.flatMap { LetterTokenizer.pieces[Int($0)] } }

    static func requests(_ seed: UInt64, temperature: Double) throws -> [GenerationRequest] {
        let vocabulary = vocabulary()
        let mark = ThinkingMark(vocabulary)
        var random = SplitMix(seed: seed)
        return try (0..<15).map { index in
            let prompt = (0..<(1 + random.below(20))).map { _ in Int32(random.below(61)) }
            var request = GenerationRequest.greedy(prompt, 1 + random.below(60))
            request.sampling.temperature = temperature
            request.sampling.seed = UInt64(index)
            let grammar = try CompiledGrammar(Self.sources[index % 5], vocabulary: vocabulary)
            request.constraint = TokenConstraint(grammar, after: index % 3 == 0 ? mark : nil)
            if index % 3 == 0 { request.sampling.logitBias = [LetterTokenizer.close: 3] }
            if index % 4 == 0 { request.logprobs = 1 }
            if index % 7 == 0 { request.stopping.minTokens = min(4, request.stopping.maxTokens ?? 4) }
            return request
        }
    }

    @Test(
        "Outputs follow their grammars, with and without guesses alike", arguments: UInt64(1)...4, [0, 0.9])
    func followed(seed: UInt64, temperature: Double) async throws {
        let requests = try Self.requests(seed, temperature: temperature)
        let plain = try await SpeculationTests.run(requests, .off)
        for (request, outcome) in zip(requests, plain.outcomes) { try Self.check(request, outcome) }
        #expect(plain.outcomes.contains { $0.reason == .endOfSequence })
        for (speculation, errorEvery) in [(Speculation.lookup, nil), (.drafter, 0), (.drafter, 3), (.auto, 2)] {
            let found = try await SpeculationTests.run(requests, speculation, errorEvery: errorEvery)
            #expect(found.outcomes == plain.outcomes, "\(speculation) \(String(describing: errorEvery))")
        }
    }

    @Test(
        "Constraints that take more than their part of a step have it in turn, and choose the same",
        arguments: UInt64(1)...4, [Speculation.off, .lookup, .drafter])
    func postponed(seed: UInt64, speculation: Speculation) async throws {
        let requests = try Self.requests(seed, temperature: seed % 2 == 0 ? 0.9 : 0)
        let errorEvery = speculation == .drafter ? 3 : nil
        let plain = try await SpeculationTests.run(requests, speculation, errorEvery: errorEvery)
        let found = try await SpeculationTests.run(
            requests, speculation, errorEvery: errorEvery, bound: .fixed(.nanoseconds(2)))
        #expect(found.outcomes == plain.outcomes)
        // One of them has its turn in a step, where all had it together.
        #expect(found.statistics.steps > 2 * plain.statistics.steps)
        #expect(found.holes == 0)
    }

    @Test("Where no two constraints fit into a step, each has its turn, and who has none goes on in every step")
    func turns() throws {
        var configuration = EngineConfiguration()
        configuration.interTokenLatencyBound = .fixed(.nanoseconds(2))
        var hand = HandLoop(configuration: configuration)
        let grammar = try CompiledGrammar(.regex("[a-h]{50}"), vocabulary: Self.vocabulary())
        var constrained: [TokenChannel] = []
        for token in 1...3 {
            var request = GenerationRequest.greedy([Int32(token)], 40)
            request.constraint = TokenConstraint(grammar)
            constrained.append(hand.submit(request))
        }
        let free = hand.submit(.greedy([4], 40))
        for turn in 1...30 {
            hand.turn()
            let counts = constrained.map(\.bufferedCount)
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "turn \(turn): \(counts)")
            #expect(counts.reduce(0, +) == turn && free.bufferedCount == turn, "turn \(turn): \(counts)")
        }
    }

    static func check(_ request: GenerationRequest, _ outcome: SpeculationTests.Outcome) throws {
        guard let constraint = request.constraint else { return }
        var answer = outcome.tokens
        if constraint.begin != nil {
            let end = answer.firstIndex(of: LetterTokenizer.close)
            let thinking = answer.prefix(upTo: end ?? answer.endIndex)
            #expect(!thinking.contains(Self.endToken) && !thinking.contains(LetterTokenizer.open))
            answer = end.map { Array(answer[($0 + 1)...]) } ?? []
        }
        var matcher = GrammarMatcher(constraint.grammar)
        if outcome.reason == .endOfSequence {
            #expect(answer.last == Self.endToken)
            #expect(try matcher.accept(bytes: Self.text(answer.dropLast())))
            #expect(try matcher.isComplete)
        } else {
            #expect(outcome.reason == .length)
            #expect(try matcher.accept(bytes: Self.text(answer)))
        }
    }

    @Test("An answer after which nothing may come ends, also without end tokens")
    func endsWithoutTokens() async throws {
        for ignores in [false, true] {
            let vocabulary = Self.vocabulary(endTokens: ignores ? [Self.endToken] : [])
            var request = GenerationRequest.greedy([1, 2], 40)
            request.stopping.ignoreEndOfSequence = ignores
            request.constraint = TokenConstraint(try CompiledGrammar(.choice(["abc"]), vocabulary: vocabulary))
            let outcome = try await SpeculationTests.run([request, request], .lookup).outcomes[1]
            #expect(outcome.tokens == (ignores ? [0, 1, 2, Self.endToken] : [0, 1, 2]))
            #expect(outcome.reason == .endOfSequence)
            #expect(outcome.completionTokens == outcome.tokens.count)
        }
    }

    @Test("A grammar that the vocabulary cannot write ends the request with an error, and no other")
    func deadEnd() async throws {
        let grammar = try CompiledGrammar(.choice(["ab!"]), vocabulary: Self.vocabulary())
        var request = GenerationRequest.greedy([1], 20)
        request.constraint = TokenConstraint(grammar, field: "response_format")
        let engine = try EngineTests.engine(endTokens: [Self.endToken])
        let stream = try engine.submit(request)
        let other = try engine.submit(.greedy([5, 6], 10))
        let error = await #expect(throws: EngineError.self) { try await stream.drain() }
        guard case .invalidConstraint("response_format", _) = error else {
            Issue.record("expected an error of the field, found \(String(describing: error))")
            return
        }
        #expect(try await other.drain().tokens == ScriptedModelRunner.continuation([5, 6], count: 10, endTokens: [9]))
        await engine.shutdown()
    }

    @Test("The end of thinking may be several tokens, and one that says more than the mark must say what is allowed")
    func marks() throws {
        let texts = ["</", "think", ">", ">\n", ">{", "a", "{", "}", "</think>", "x</think>{", "<", "/"]
        let vocabulary = GrammarVocabulary(
            texts: texts.map { Array($0.utf8) } + [Array("<end>".utf8)], controlTokens: [:], endTokens: [12])
        let grammar = try CompiledGrammar(.text("{}"), vocabulary: vocabulary)
        var state = ConstraintState(TokenConstraint(grammar, after: ThinkingMark(vocabulary)))
        #expect(try state.mask().tokens == Array(0..<12))
        for token in [Int32(10), 0, 1] { try state.accept(token) }
        // Behind `</think`, the token `>\n` would begin the answer with a line break.
        #expect(try !state.mask().contains(3))
        #expect(try state.mask().contains(4) && state.mask().contains(2))
        #expect(try !state.isComplete)
        try state.accept(4)
        #expect(try state.mask().tokens == [7])
        try state.accept(7)
        #expect(try state.isComplete)
        #expect(try state.mask().tokens == [12])
    }
}
