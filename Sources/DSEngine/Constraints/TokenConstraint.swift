package import DSGrammar

/// A compiled grammar that a sequence's tokens have to follow.
package struct TokenConstraint: Sendable {
    package let grammar: CompiledGrammar
    /// Nil: from the first token on. Otherwise behind this mark, before which the sequence cannot end.
    package let begin: ThinkingMark?

    package init(_ grammar: CompiledGrammar, after begin: ThinkingMark? = nil) {
        self.grammar = grammar
        self.begin = begin
    }
}
