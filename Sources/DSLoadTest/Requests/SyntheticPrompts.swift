/// Prompts of wanted lengths, made of common words in random order, so that no cache knows them but for a shared prefix.
package struct SyntheticPrompts: Sendable {
    package var fit: WordFit
    /// Prompt tokens of a request, without the shared prefix.
    package let tokens: Int
    /// Tokens of an answer; nil: the test's own limit, for all alike.
    package let answerTokens: Int?
    /// Lengths of prompts and answers are uniform between `tokens * (1 - spread)` and `tokens * (1 + spread)`. Answers of one length
    /// keep the clients of a closed loop in step with each other.
    package let spread: Double
    package let sharedPrefixTokens: Int
    package let seed: UInt64

    package init(
        fit: WordFit = .assumed, tokens: Int, answerTokens: Int? = nil, spread: Double = 0, sharedPrefixTokens: Int = 0,
        seed: UInt64
    ) {
        precondition((0...1).contains(spread), "a spread is between 0 and 1")
        self.fit = fit
        self.tokens = tokens
        self.answerTokens = answerTokens
        self.spread = spread
        self.sharedPrefixTokens = sharedPrefixTokens
        self.seed = seed
    }

    package func request(_ index: Int) -> PlannedRequest {
        var generator = SeededGenerator(seed: promptSeed, stream: UInt64(truncatingIfNeeded: index) &+ 1)
        let count = fit.words(forPrompt: length(tokens, &generator))
        let prompt = Self.text(words: count, using: &generator)
        return PlannedRequest(
            prompt: .text(prompt), sharedPrefix: sharedPrefix,
            maxTokens: answerTokens.map { max(1, length($0, &generator)) })
    }

    private func length(_ mean: Int, _ generator: inout SeededGenerator) -> Int {
        let factor = 1 + spread * (2 * generator.unit() - 1)
        return Int((Double(mean) * factor).rounded())
    }

    /// Tests of one seed that ask for other lengths have other prompts: the second must not find the first's in a cache. What
    /// a server makes of words changes nothing, so that servers with other templates get the same words.
    private var promptSeed: UInt64 {
        var lengths = SeededGenerator(seed: seed, stream: UInt64(truncatingIfNeeded: tokens))
        var spreads = SeededGenerator(seed: lengths.next(), stream: spread.bitPattern)
        return spreads.next()
    }

    private var sharedPrefix: String? {
        guard sharedPrefixTokens > 0 else { return nil }
        var generator = SeededGenerator(seed: seed, stream: UInt64(truncatingIfNeeded: sharedPrefixTokens))
        return Self.text(words: max(1, fit.words(adding: sharedPrefixTokens)), using: &generator)
    }

    /// Each word comes once before any comes again, so that texts of one length have nearly the same number of tokens.
    package static func text(words count: Int, using generator: inout SeededGenerator) -> String {
        var text = ""
        var deck: [String] = []
        for _ in 0..<count {
            if deck.isEmpty { deck = words.shuffled(using: &generator) }
            text += " " + deck.removeLast()
        }
        return text
    }

    /// Words of the two probes that a fit is made of: all words once, and twice.
    package static var probes: [Int] { [words.count, 2 * words.count] }

    /// Words that most vocabularies have as one token with the space before them.
    static let words: [String] =
        """
        the of and to in is that for it as was with be by on not he his but at are this have from they which one you were
        all her she there would their we him been has when who will more no if out so said what up its about into than
        them can only other new some could time these two may then do first any my now such like our over man me even
        most made after also did many before must through back years where much your way well down should because each
        just those people how too little state good very make world still own see men work long get here between both
        life being under never day same another know while last might us
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
