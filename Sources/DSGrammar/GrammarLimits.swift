/// What a grammar may cost. A hostile one ends as `GrammarError.tooLarge`, never as memory or time without end.
///
/// Work is counted in steps: a step is about what visiting a term takes (some 20 ns), storing a new one takes a hundred.
/// No clock is asked, so that what is refused is refused on every machine.
package struct GrammarLimits: Sendable, Hashable {
    /// Bytes of a grammar's, pattern's or schema's text.
    package var sourceBytes = 1 << 20
    /// Terms while a grammar is compiled, and again as many while it is used.
    package var terms = 400_000
    /// Nesting of a pattern, a grammar or a schema; rules that begin with one another.
    package var depth = 200
    /// Repetitions that a pattern may ask for.
    package var repetitions = 100_000
    /// States that are looked at before a language that was made by intersection counts as too hard.
    package var searchStates = 50_000
    /// Alternatives that the parts of a schema may multiply to.
    package var alternatives = 256
    /// Steps of work until a source is compiled: below a second.
    package var compileWork = 30_000_000
    /// Steps of work on one mask or one token: a fraction of a second. What texts need beyond that in a row is refilled
    /// by a sixteenth at every question, so that no grammar holds up a model for long.
    package var stepWork = 8_000_000
    /// Terms inside each other that one byte may lead through.
    package var recursion = 1_000
    /// Bytes of the table of states that texts have led to.
    package var stateBytes = 64 << 20
    /// Bytes of masks that are kept; beyond them masks are computed anew.
    package var maskBytes = 32 << 20

    package init() {}
}
