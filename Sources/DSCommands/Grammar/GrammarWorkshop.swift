import DSEngine
import DSGrammar
import DSModels
import DSSupport
import DSTokenizers

/// Grammars over the tokens of one tokenizer, without a model.
struct GrammarWorkshop {
    let vocabulary: GrammarVocabulary
    private let clock = ContinuousClock()

    init(tokenizer path: String) throws {
        let tokenizer = try TokenizerPath.load(path)
        let adapter = ModelTextTokenizer(tokenizer)
        vocabulary = GrammarVocabulary(
            texts: (0..<Int32(tokenizer.vocabularySize)).map { adapter.bytes(of: $0) },
            controlTokens: adapter.controlTokens, endTokens: [tokenizer.eosID].compactMap { $0 })
    }

    func compile(_ source: GrammarSource) throws -> (CompiledGrammar, seconds: Double) {
        let started = clock.now
        let grammar = try CompiledGrammar(source, vocabulary: vocabulary)
        return (grammar, started.duration(to: clock.now) / .seconds(1))
    }

    /// Whether a text is one of the grammar's, byte by byte.
    func accepts(_ grammar: CompiledGrammar, _ text: String) throws -> Bool {
        var matcher = GrammarMatcher(grammar)
        return try matcher.accept(bytes: text.utf8) && matcher.isComplete
    }

    func texts(_ grammar: CompiledGrammar, count: Int, limit: Int, seed: UInt64) throws -> [JSONValue] {
        var result: [JSONValue] = []
        for index in 0..<count {
            // Every other one gives up early, so that short texts are among them.
            var random = RandomText(seed: seed &+ UInt64(index), patience: index % 2 == 0 ? 4 : 40)
            let outcome = try random.next(grammar, limit: limit)
            result.append([
                "text": .text(String(decoding: outcome.text, as: UTF8.self)), "complete": .bool(outcome.isComplete),
                "dead_end": .bool(!outcome.hasWayOn), "tokens": .integer(Int64(outcome.tokens.count)),
            ])
        }
        return result
    }

    /// What masks cost per token: at first use, and when texts were seen before.
    func bench(_ source: GrammarSource, seed: UInt64) throws -> JSONValue {
        let (grammar, _) = try compile(source)
        let texts = try (0..<20).map { index in
            var random = RandomText(seed: seed &+ UInt64(index))
            return try random.next(grammar, limit: 300).tokens
        }
        let (fresh, _) = try compile(source)
        let cold = try time(texts, fresh)
        let warm = try time(texts, fresh)
        return [
            "vocabulary": .integer(Int64(vocabulary.count)),
            "tokens": .integer(Int64(texts.reduce(0) { $0 + $1.count })),
            "first_use_us_per_token": .number(cold.mean), "first_use_us_max": .number(cold.largest),
            "us_per_token": .number(warm.mean), "us_max": .number(warm.largest),
        ]
    }

    private func time(_ texts: [[Int32]], _ grammar: CompiledGrammar) throws -> (mean: Double, largest: Double) {
        var total = 0.0
        var largest = 0.0
        var count = 0
        for tokens in texts {
            var matcher = GrammarMatcher(grammar)
            for token in tokens {
                let started = clock.now
                _ = try matcher.mask()
                _ = try matcher.accept(token)
                let microseconds = started.duration(to: clock.now) / .microseconds(1)
                total += microseconds
                largest = max(largest, microseconds)
                count += 1
            }
        }
        return (total / Double(max(1, count)), largest)
    }
}
