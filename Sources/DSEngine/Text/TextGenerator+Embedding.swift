/// What stands for a text as numbers.
public struct Embedding: Sendable, Equatable {
    /// [hiddenSize], not normalised; with `Pooling.none` [tokens, hiddenSize].
    public let values: [Float]
    public let usage: TokenUsage
    public let timings: RequestTimings
}

extension TextGenerator {
    /// Computes the embedding of a text or of tokens. Needs `EngineConfiguration.computesEmbeddings`.
    /// - Parameter options: priority, timeout, salt and owner count; nothing is generated.
    /// - Returns: nil if the request, or the task that waits, was cancelled.
    public func embed(
        _ prompt: TextRequest.Prompt, pooling: Pooling = .last, options: TextOptions = TextOptions()
    ) async throws(EngineError) -> Embedding? {
        let tokens: [Int32]
        switch prompt {
        case .tokens(let ids): tokens = ids
        case .text(let text): tokens = try encode(text, addsSpecialTokens: true)
        }
        var request = GenerationRequest(promptTokens: tokens, stopping: StoppingConditions(maxTokens: 0))
        request.pooling = pooling
        request.priority = options.priority
        request.timeout = options.timeout
        request.cacheSalt = options.cacheSalt
        request.cacheOwner = options.cacheOwner
        var values: [Float] = []
        for try await event in try engine.submit(request) {
            switch event {
            case .embedding(let found): values = found
            case .finished(let result):
                return result.reason == .cancelled
                    ? nil : Embedding(values: values, usage: result.usage, timings: result.timings)
            case .prompt, .token: break
            }
        }
        return nil
    }
}
