import DSEngine
import DSGrammar
import DSModels
import DSSupport

/// Lets the built-in model answer under a grammar: after thinking, with guesses at coming tokens.
struct GrammarAnswerer {
    private let generator: TextGenerator

    init() throws {
        var configuration = EngineConfiguration()
        configuration.speculation = .auto
        configuration.draftsAlways = true
        generator = try TextGenerator(model: try LoadedModel.embedded(), configuration: configuration)
    }

    func shutdown() async { await generator.engine.shutdown() }

    /// Every other answer is greedy.
    func answers(_ source: GrammarSource, count: Int, maxTokens: Int, seed: UInt64) async throws -> [JSONValue] {
        var streams: [TextStream] = []
        for index in 0..<count {
            var options = TextOptions()
            options.constraint = AnswerConstraint(.text(source), field: "source")
            options.sampling.temperature = index % 2 == 0 ? 1 : 0
            options.sampling.seed = seed &+ UInt64(index)
            options.stopping.maxTokens = maxTokens
            let message = ChatMessage(role: "user", content: "What is \(12 + index) + 30? Answer as JSON.")
            streams.append(try generator.chat(ChatRequest(messages: [message], thinking: true, options: options)))
        }
        var result: [JSONValue] = []
        for stream in streams {
            let (output, end) = try await stream.collect()
            result.append([
                "text": .text(output.content), "reasoning_tokens": .integer(Int64(end.usage.reasoningTokens)),
                "tokens": .integer(Int64(end.usage.completionTokens)),
                "accepted_draft_tokens": .integer(Int64(end.usage.acceptedDraftTokens)),
                "complete": .bool(end.reason == .endOfSequence),
            ])
        }
        return result
    }
}
