package import DSEngine
import DSSupport

/// Asks a model every item, judges the answers, and measures the perplexity of texts.
package struct Evaluation: Sendable {
    package struct Outcome: Sendable {
        package let item: EvaluationItem
        package let isCorrect: Bool
        package let reasoning: String
        package let answer: String
        package let completionTokens: Int
        /// Seconds from the first token to the last.
        package let decodingSeconds: Double
    }

    /// Results of one task's items.
    package struct TaskScore: Sendable, Equatable {
        package let task: String
        package var correct = 0
        package var count = 0

        package init(task: String) { self.task = task }

        package var accuracy: Double { count == 0 ? 0 : Double(correct) / Double(count) }
    }

    private let generator: TextGenerator
    private let maxTokens: Int
    /// Items asked at the same time.
    private let concurrency: Int

    package init(generator: TextGenerator, maxTokens: Int = 640, concurrency: Int = 16) {
        self.generator = generator
        self.maxTokens = maxTokens
        self.concurrency = concurrency
    }

    /// Greedy answers to all items, in their order.
    /// - Parameter progress: called with the number of finished items.
    package func run(
        _ items: [EvaluationItem], progress: (Int) -> Void = { _ in }
    ) async throws -> [Outcome] {
        var outcomes: [Int: Outcome] = [:]
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            var next = 0
            while next < min(concurrency, items.count) {
                let index = next
                group.addTask { (index, try await answer(items[index])) }
                next += 1
            }
            for try await (index, outcome) in group {
                outcomes[index] = outcome
                progress(outcomes.count)
                guard next < items.count else { continue }
                let index = next
                group.addTask { (index, try await answer(items[index])) }
                next += 1
            }
        }
        return items.indices.compactMap { outcomes[$0] }
    }

    private func answer(_ item: EvaluationItem) async throws(EngineError) -> Outcome {
        var options = TextOptions()
        options.sampling = .greedy
        var request = ChatRequest(
            messageObjects: item.messages, tools: item.tools, thinking: item.thinking, options: options)
        // A long prompt leaves less room; running out of tokens is a wrong answer, not an error.
        let room = generator.engine.maximumContext - (try generator.chatTokens(request)).count
        guard room > 0 else {
            return Outcome(
                item: item, isCorrect: false, reasoning: "", answer: "(the prompt is longer than the model's context)",
                completionTokens: 0, decodingSeconds: 0)
        }
        request.options.stopping.maxTokens = min(maxTokens, room)
        let (output, result) = try await generator.chat(request).collect()
        let calls = output.toolCalls.map { (name: $0.name ?? "", arguments: $0.arguments) }
        return Outcome(
            item: item, isCorrect: item.check.accepts(output.content, calls: calls), reasoning: output.reasoning,
            answer: output.content + calls.map { "\($0.name)\($0.arguments)" }.joined(separator: "\n"),
            completionTokens: result.usage.completionTokens, decodingSeconds: result.timings.decodingSeconds)
    }

    /// Scores by task, in the order of first appearance.
    package static func scores(_ outcomes: [Outcome]) -> [TaskScore] {
        var scores: [TaskScore] = []
        for outcome in outcomes {
            let index = scores.firstIndex { $0.task == outcome.item.task } ?? scores.endIndex
            if index == scores.endIndex { scores.append(TaskScore(task: outcome.item.task)) }
            scores[index].count += 1
            if outcome.isCorrect { scores[index].correct += 1 }
        }
        return scores
    }

    /// exp of the mean negative log-probability of every token of the documents given the tokens before it in its
    /// document. Each document stands between the model's begin and end tokens; the end is predicted, too.
    package func perplexity(_ documents: [String], begin: Int32?, end: Int32?) async throws -> Double {
        var total = 0.0
        var count = 0
        for document in documents {
            var tokens = try generator.encode(document, addsSpecialTokens: false)
            if let begin { tokens.insert(begin, at: 0) }
            if let end { tokens.append(end) }
            var options = TextOptions()
            options.stopping.maxTokens = 0
            options.promptLogprobs = 0
            let (output, _) = try await generator.generate(TextRequest(.tokens(tokens), options: options)).collect()
            for token in output.promptTokens {
                guard let logprob = token.logprob else { continue }
                total -= Double(logprob)
                count += 1
            }
        }
        guard count > 0 else { throw EvaluationError.unusableModel(reason: "the text gave no token to predict") }
        return RealMath.exp(total / Double(count))
    }
}
