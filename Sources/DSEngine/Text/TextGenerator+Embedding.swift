/// What stands for a text as numbers.
public struct Embedding: Sendable, Equatable {
    /// [hiddenSize], not normalised; with `Pooling.none` [tokens, hiddenSize].
    public let values: [Float]
    public let usage: TokenUsage
}

extension TextGenerator {
    /// Computes the embedding of a text or of tokens. Needs `EngineConfiguration.computesEmbeddings`.
    /// - Parameter options: priority, timeout, salt and owner count; nothing is generated.
    /// - Returns: nil if the request, or the task that waits, was cancelled.
    public func embed(
        _ prompt: TextRequest.Prompt, pooling: Pooling = .last, options: TextOptions = TextOptions()
    ) async throws(EngineError) -> Embedding? {
        try await embed(prompt, pooling: pooling, options: options, onEnd: { _ in })
    }

    /// As `embed`.
    /// - Parameter onEnd: is told, once for what the engine took, how it ended and what was computed for it.
    package func embed(
        _ prompt: TextRequest.Prompt, pooling: Pooling, options: TextOptions,
        onEnd: (GenerationResult) -> Void
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
        let stream = try engine.submit(request)
        do throws(EngineError) {
            var values: [Float] = []
            for try await event in stream {
                switch event {
                case .embedding(let found): values = found
                case .finished(let result) where result.reason != .cancelled:
                    onEnd(result)
                    return Embedding(values: values, usage: result.usage)
                case .prompt, .token, .finished: break
                }
            }
        } catch {
            onEnd(await brokenOff(stream))
            throw error
        }
        onEnd(await brokenOff(stream))
        return nil
    }

    private func brokenOff(_ stream: TokenStream) async -> GenerationResult {
        stream.cancel()
        let account = await stream.channel.settledAccount()
        return GenerationResult(reason: .cancelled, usage: account.usage, timings: account.timings)
    }
}
