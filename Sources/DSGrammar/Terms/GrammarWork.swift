/// Counts the steps of work of a compilation, or of one question to an automaton, and says when they are too many.
final class GrammarWork {
    enum Purpose {
        case compilation
        case token
    }

    private(set) var spent = 0
    private var allowance: Int
    private var purpose = Purpose.compilation
    private let limits: GrammarLimits

    init(_ limits: GrammarLimits) {
        self.limits = limits
        allowance = limits.compileWork
    }

    func spend(_ steps: Int) { spent &+= steps }

    var isExhausted: Bool { spent > allowance }

    /// Counts from zero again, up to `allowance`.
    func restart(_ purpose: Purpose, allowance: Int) {
        self.purpose = purpose
        self.allowance = allowance
        spent = 0
    }

    var failure: GrammarError? {
        guard isExhausted else { return nil }
        return switch purpose {
        case .compilation: .tooLarge(what: "steps of work to compile the grammar", limit: limits.compileWork)
        case .token:
            .tooLarge(what: "steps of work on one token, with which the grammar grows too much", limit: limits.stepWork)
        }
    }

    /// As `spend`, where an error can be thrown.
    func charge(_ steps: Int) throws(GrammarError) {
        spend(steps)
        if let failure { throw failure }
    }
}
