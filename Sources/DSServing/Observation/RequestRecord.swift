package import DSEngine
import DSObservability
import Synchronization

/// What is known about one HTTP request, collected on its way: by the observer, the routes and the answers.
package final class RequestRecord: Sendable {
    package struct State: Sendable {
        package var id = ""
        package var model: String?
        /// Whose key came with it.
        package var tenant: String?
        /// Answers per prompt (`n`).
        package var answersPerPrompt = 1
        package var answers: [AnswerRecord] = []
        /// When the answers were submitted.
        var submitted: Timestamp?
        /// The error's type or code; never its message, which may quote the request.
        package var error: String?
        /// Bytes of the response's body.
        package var bytes = 0
        package var costs: CostModel?
        var hasEnded = false

        /// Nil where no prices are set, or nothing was generated.
        package var cost: Double? {
            let all = answers.compactMap(\.result?.usage.cost)
            return all.isEmpty ? nil : all.reduce(0, +)
        }
    }

    private let storage = Mutex(State())

    package init() {}

    /// Of work that goes on after a request.
    package init(after request: RequestRecord) {
        let known = request.state
        update {
            $0.id = known.id
            $0.tenant = known.tenant
            $0.costs = known.costs
        }
    }

    package var state: State { storage.withLock { $0 } }

    package func update(_ body: (inout State) -> Void) { storage.withLock { body(&$0) } }

    /// True the first time.
    func endsNow() -> Bool {
        storage.withLock { state in
            defer { state.hasEnded = true }
            return !state.hasEnded
        }
    }

    /// The answers were submitted to a model.
    func began(_ answers: [AnswerRecord], perPrompt count: Int, model: String) {
        update {
            $0.model = model
            $0.answersPerPrompt = count
            $0.answers = answers
            $0.submitted = .now
        }
    }

    /// Answer number `index` ended; returns its result with what it cost.
    package func ended(_ index: Int, _ result: GenerationResult) -> GenerationResult {
        storage.withLock { state in
            guard state.answers.indices.contains(index) else { return result }
            var usage = result.usage
            usage.cost = state.costs?.cost(of: result, includesPrompt: state.answers[index].isFirst)
            let priced = GenerationResult(reason: result.reason, usage: usage, timings: result.timings)
            state.answers[index].result = priced
            return priced
        }
    }

    package func failed(_ error: APIError) { update { $0.error = error.code ?? error.type } }
}
