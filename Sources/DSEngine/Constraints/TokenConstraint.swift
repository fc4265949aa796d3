package import DSGrammar

/// A compiled grammar that a sequence's tokens have to follow.
package struct TokenConstraint: Sendable {
    package let grammar: CompiledGrammar
    /// Nil: from the first token on. Otherwise behind this mark, before which the sequence cannot end.
    package let begin: ThinkingMark?
    /// The request's field that asked for it, for errors.
    package let field: String

    package init(_ grammar: CompiledGrammar, after begin: ThinkingMark? = nil, field: String = "grammar") {
        self.grammar = grammar
        self.begin = begin
        self.field = field
    }
}
