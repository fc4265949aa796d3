package import DSGrammar

/// Where one request stands in its constraint. Fed with the tokens that were chosen, and with those alone: guesses that
/// turn out wrong leave no trace.
package struct ConstraintState: Sendable {
    /// The request's field that asked for it.
    package let field: String
    private var matcher: GrammarMatcher
    /// The mark that is waited for, and how much of it was read; nil: the grammar holds.
    private var thinking: (mark: ThinkingMark, matched: Int)?

    package init(_ constraint: TokenConstraint) {
        field = constraint.field
        matcher = GrammarMatcher(constraint.grammar)
        thinking = constraint.begin.map { ($0, 0) }
    }

    /// The tokens that may come next.
    package func mask() throws(GrammarError) -> TokenMask {
        guard let thinking else { return try matcher.mask() }
        let overruns = thinking.mark.overruns(after: thinking.matched)
        guard !overruns.isEmpty else { return thinking.mark.mask }
        // What such a token says behind the mark is already the answer.
        var mask = thinking.mark.mask
        let allowed = try matcher.allows(overruns.map { $0.rest })
        for (overrun, isAllowed) in zip(overruns, allowed) where !isAllowed { mask.remove(overrun.token) }
        return mask
    }

    /// Records a token that was chosen from `mask()`.
    package mutating func accept(_ token: Int32) throws(GrammarError) {
        guard let thinking else {
            _ = try matcher.accept(token)
            return
        }
        switch thinking.mark.read(token, after: thinking.matched) {
        case .inside(let matched): self.thinking?.matched = matched
        case .ended(let rest):
            self.thinking = nil
            _ = try matcher.accept(bytes: rest)
        }
    }

    /// Whether the answer is complete as it is.
    package var isComplete: Bool {
        get throws(GrammarError) {
            guard thinking == nil else { return false }
            if matcher.hasEnded { return true }
            return try matcher.isComplete
        }
    }
}
