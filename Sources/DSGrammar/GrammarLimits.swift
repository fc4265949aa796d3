/// What a grammar may cost. A hostile one ends as `GrammarError.tooLarge`, never as memory or time without end.
package struct GrammarLimits: Sendable, Hashable {
    /// Bytes of a grammar's, pattern's or schema's text.
    package var sourceBytes = 1 << 20
    /// Terms while a grammar is compiled, and again as many while it is used.
    package var terms = 400_000
    /// Nesting of a pattern, a grammar or a schema.
    package var depth = 200
    /// Repetitions that a pattern may ask for.
    package var repetitions = 100_000
    /// States that are looked at before a language that was made by intersection counts as too hard.
    package var searchStates = 50_000
    /// Alternatives that the parts of a schema may multiply to.
    package var alternatives = 256

    package init() {}
}
