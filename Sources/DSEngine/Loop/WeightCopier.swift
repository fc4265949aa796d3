internal import DSGraph

/// Decides when a runner copies weights into a faster layout: behind the first tokens rather than before them.
final class WeightCopier {
    private let runner: any ModelRunner
    private let board: StatisticsBoard
    private let speculator: Speculator?
    private(set) var isDone: Bool
    /// Between two tokens: shorter ones would make the copies later and the answer no earlier.
    private static let pause = Duration.milliseconds(100)
    /// What a request that comes while nothing runs may wait for.
    private static let idlePause = Duration.milliseconds(15)

    init(_ runner: any ModelRunner, _ board: StatisticsBoard, _ speculator: Speculator?) {
        self.runner = runner
        self.board = board
        self.speculator = speculator
        isDone = runner.weightCopies.isComplete
        publish()
    }

    /// Makes all copies if the prompts of the step to come gain more from them, unless something else is asked for meanwhile.
    func copy(before plan: borrowing StepPlan, unless isInterrupted: () -> Bool) {
        guard let rows = runner.promptRowsWorthCopies, plan.promptRows >= rows else { return }
        while !isDone, !isInterrupted() { copy(for: Self.pause) }
    }

    /// Copies for as long as the step took, so that nobody waits more than twice as long, and at least for a pause. A step that
    /// computed prompts took long: if it also gave tokens, for a pause only.
    func copy(after plan: borrowing StepPlan, took time: Duration, gaveTokens: Bool) {
        copy(for: plan.promptRows > 0 && gaveTokens ? Self.pause : max(time, Self.pause))
    }

    /// False if nothing was left to copy.
    func copyWhileIdle() -> Bool {
        guard !isDone else { return false }
        copy(for: Self.idlePause)
        return true
    }

    private func copy(for time: Duration?) {
        guard !isDone else { return }
        runner.copyWeights(for: time)
        isDone = runner.weightCopies.isComplete
        if isDone { speculator?.forgetCosts() }
        publish()
    }

    private func publish() {
        let copies = runner.weightCopies
        board.update {
            $0.copiedWeightBytes = copies.made
            $0.weightBytesToCopy = copies.total
        }
    }
}
