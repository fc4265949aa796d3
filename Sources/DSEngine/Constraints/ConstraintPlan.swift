package import DSGrammar

/// What has to be compiled for one answer.
package struct ConstraintPlan: Sendable {
    package var source: GrammarSource
    /// The calls among what `source` allows: where it is refused, the tools may be at fault.
    package var calls: GrammarSource?
    /// The request's field that asked for it, for messages.
    package var field: String
    /// The answer begins inside the model's thinking.
    package var thinks: Bool
}
