/// What constraints of answers took in one step.
package struct ConstraintWork: Sendable, Equatable {
    /// Masks that were asked for: one per row whose token a constraint restricts.
    package var masks = 0
    /// Finding and applying them, and telling the grammars which tokens were chosen.
    package var time = Duration.zero

    package init() {}
}
