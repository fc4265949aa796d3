/// The text of one request, as it is generated. It has one consumer; dropping it, or cancelling the consuming task,
/// cancels the request before the next step.
public struct TextStream: AsyncSequence, Sendable {
    public typealias Element = GenerationEvent
    public typealias Failure = EngineError

    let tokens: TokenStream
    let assembler: TextAssembler
    let submitted: ContinuousClock.Instant
    /// The prompt as the model reads it.
    public let promptIDs: [Int32]

    public var id: RequestID { tokens.id }
    /// See `TokenStream.seed`.
    public var seed: UInt64 { tokens.seed }
    /// Tokens of the prompt.
    public var promptTokens: Int { assembler.usage.promptTokens }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(tokens: tokens.makeAsyncIterator(), assembler: assembler, submitted: submitted)
    }

    /// Lets a consumer that waits for the next event go on with an empty delta, so that it can show a sign of life.
    public func nudge() { tokens.channel.nudge() }

    /// Ends the stream and its request.
    public func cancel() { tokens.cancel() }

    /// Ends the request if it runs, and waits until the engine is done with it: no longer than a step.
    /// - Returns: what was computed for it, read or not; as prompt tokens those that were computed or found in a cache.
    package func settle() async -> GenerationResult {
        cancel()
        let account = await tokens.channel.settledAccount()
        return GenerationResult(reason: .cancelled, usage: account.usage, timings: account.timings)
    }

    /// Reads the stream to its end: all text, all tokens, and how it ended.
    public func collect() async throws(EngineError) -> (output: GenerationDelta, result: GenerationResult) {
        var output = GenerationDelta()
        var iterator = makeAsyncIterator()
        while let event = try await iterator.next() {
            switch event {
            case .delta(let delta): output.append(delta)
            case .finished(let result): return (output, result)
            }
        }
        return (output, GenerationResult(reason: .cancelled, usage: assembler.usage))
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        var tokens: TokenStream.AsyncIterator
        var assembler: TextAssembler
        let submitted: ContinuousClock.Instant
        var firstToken: Duration?
        /// Follows the delta that was returned last.
        var result: GenerationResult?
        var isDone = false

        public mutating func next() async throws(EngineError) -> GenerationEvent? {
            while !isDone {
                if let result {
                    isDone = true
                    return .finished(result)
                }
                switch try await tokens.next() {
                case nil: isDone = true
                case .embedding: break
                case .prompt(let tokens): return .delta(GenerationDelta(promptTokens: tokens))
                case .token(let token):
                    firstToken = firstToken ?? submitted.duration(to: .now)
                    let (delta, stop) = assembler.push(token)
                    if let stop { end(stop) }
                    return .delta(delta)
                case .finished(let engineResult):
                    let (delta, stop) = assembler.finish()
                    if let stop { end(stop) } else { end(engineResult) }
                    if !delta.isEmpty { return .delta(delta) }
                }
            }
            return nil
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EngineError) -> GenerationEvent? {
            try await next()
        }

        /// A stop string was found: the engine need not go on.
        private mutating func end(_ stop: String) {
            let account = tokens.lifetime.channel.account
            tokens.lifetime.channel.abandon(isFinished: true)
            var timings = account.timings
            timings.firstToken = firstToken
            timings.finished = submitted.duration(to: .now)
            // The engine may have generated more tokens than were read.
            var usage = assembler.usage
            usage.cachedPromptTokens = account.usage.cachedPromptTokens
            usage.preemptions = account.usage.preemptions
            usage.draftTokens = account.usage.draftTokens
            usage.acceptedDraftTokens = Swift.min(account.usage.acceptedDraftTokens, usage.completionTokens)
            result = GenerationResult(reason: .stopString(stop), usage: usage, timings: timings)
        }

        private mutating func end(_ engineResult: GenerationResult) {
            var usage = engineResult.usage
            usage.reasoningTokens = assembler.usage.reasoningTokens
            result = GenerationResult(reason: engineResult.reason, usage: usage, timings: engineResult.timings)
        }
    }
}

extension GenerationDelta {
    /// Adds a later delta of the same stream; pieces of the same tool call are joined.
    public mutating func append(_ next: GenerationDelta) {
        reasoning += next.reasoning
        content += next.content
        tokens += next.tokens
        promptTokens += next.promptTokens
        for call in next.toolCalls {
            if let index = toolCalls.firstIndex(where: { $0.index == call.index }) {
                toolCalls[index].arguments += call.arguments
            } else {
                toolCalls.append(call)
            }
        }
    }
}
