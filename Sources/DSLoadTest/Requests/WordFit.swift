/// How many prompt tokens a number of words makes at a server: its template's, and some per word.
package struct WordFit: Sendable, Equatable {
    /// Tokens of a prompt without words.
    package let base: Double
    package let perWord: Double

    /// One token per word, for a server that counts nothing.
    package static let assumed = WordFit(base: 0, perWord: 1)

    package init(base: Double, perWord: Double) {
        self.base = base
        self.perWord = perWord
    }

    /// The line through two observations.
    package init(
        words firstWords: Int, tokens firstTokens: Int, words secondWords: Int, tokens secondTokens: Int
    ) throws(LoadTestError) {
        precondition(firstWords < secondWords, "two sizes of a probe")
        perWord = Double(secondTokens - firstTokens) / Double(secondWords - firstWords)
        base = Double(firstTokens) - perWord * Double(firstWords)
        guard perWord > 0 else {
            throw .calibration(
                "expected more prompt tokens for \(secondWords) words than for \(firstWords), found \(secondTokens) "
                    + "and \(firstTokens)")
        }
    }

    /// Words of a prompt that has so many tokens with its template; at least one.
    package func words(forPrompt tokens: Int) -> Int { max(1, Int(((Double(tokens) - base) / perWord).rounded())) }

    /// Words that add so many tokens to a prompt.
    package func words(adding tokens: Int) -> Int { Int((Double(tokens) / perWord).rounded()) }
}
