/// How far a request's thinking has come against its budget. A pure value, fed with the tokens that were chosen.
struct ThinkingProgress: Sendable {
    private enum State: Sendable {
        /// Tokens of the opening mark that were seen in a row.
        case outside(matched: Int)
        /// Tokens of thinking, and how many of the last ones begin the closing mark.
        case inside(count: Int, matched: Int)
        /// Tokens of the closing mark that were written.
        case closing(written: Int)
        case over(forced: Bool)
    }

    private let budget: ThinkingBudget
    private var state: State

    init(_ budget: ThinkingBudget) {
        self.budget = budget
        state = budget.startsInside ? Self.entered(budget) : .outside(matched: 0)
    }

    private static func entered(_ budget: ThinkingBudget) -> State {
        budget.tokens == 0 ? .closing(written: 0) : .inside(count: 0, matched: 0)
    }

    /// The next token, if the budget decides it.
    var forced: Int32? {
        if case .closing(let written) = state { budget.closing[written] } else { nil }
    }

    /// A token that may not come: the model, which was made to end its thinking, would end it once more.
    var banned: Int32? {
        if case .over(forced: true) = state, budget.closing.count == 1 { budget.closing[0] } else { nil }
    }

    mutating func append(_ token: Int32) {
        switch state {
        case .outside(let matched):
            let matched = Self.match(token, budget.opening, after: matched)
            state = matched == budget.opening.count ? Self.entered(budget) : .outside(matched: matched)
        case .inside(let count, let matched):
            let matched = Self.match(token, budget.closing, after: matched)
            if matched == budget.closing.count {
                state = .over(forced: false)
            } else if count + 1 >= budget.tokens {
                // What the model began of the mark stays.
                state = .closing(written: matched)
            } else {
                state = .inside(count: count + 1, matched: matched)
            }
        case .closing(let written):
            state = written + 1 == budget.closing.count ? .over(forced: true) : .closing(written: written + 1)
        case .over: break
        }
    }

    private static func match(_ token: Int32, _ mark: [Int32], after matched: Int) -> Int {
        if token == mark[matched] { return matched + 1 }
        return token == mark[0] ? 1 : 0
    }
}
