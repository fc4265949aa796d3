internal import DSGrammar
internal import DSSupport
internal import DSTokenizers

/// Text in, text out: an engine with its tokenizer and chat format. What the command line and the servers use.
public final class TextGenerator: Sendable {
    public let engine: Engine
    private let tokenizer: any TextTokenizer
    private let chatFormat: (any ChatFormat)?
    /// Grammars of answers, compiled for this model's tokens.
    package let constraints: ConstraintCompiler

    package init(engine: Engine, tokenizer: any TextTokenizer, chatFormat: (any ChatFormat)? = nil) {
        self.engine = engine
        self.tokenizer = tokenizer
        self.chatFormat = chatFormat
        let (count, endTokens) = (engine.vocabularySize, engine.endTokens)
        constraints = ConstraintCompiler {
            GrammarVocabulary(
                texts: (0..<Int32(count)).map { tokenizer.bytes(of: $0) }, controlTokens: tokenizer.controlTokens,
                endTokens: endTokens)
        }
    }

    /// Continues a text. Throws at once what is wrong with the request.
    public func generate(_ request: TextRequest) throws(EngineError) -> TextStream {
        let answer = try prepare(request)
        return try start(answer, try compiled(answer.plan))
    }

    /// Answers a conversation. Throws at once what is wrong with it.
    public func chat(_ request: ChatRequest) throws(EngineError) -> TextStream {
        let answer = try prepare(request)
        return try start(answer, try compiled(answer.plan))
    }

    /// As `generate`; a new grammar is compiled on a thread of the executor.
    package func generate(
        _ request: TextRequest, compilingOn executor: any TaskExecutor
    ) async throws(EngineError) -> TextStream {
        let answer = try prepare(request)
        return try start(answer, try await compiled(answer.plan, on: executor))
    }

    /// As `chat`; a new grammar is compiled on a thread of the executor.
    package func chat(
        _ request: ChatRequest, compilingOn executor: any TaskExecutor
    ) async throws(EngineError) -> TextStream {
        let answer = try prepare(request)
        return try start(answer, try await compiled(answer.plan, on: executor))
    }

    private func compiled(_ plan: ConstraintPlan?) throws(EngineError) -> TokenConstraint? {
        guard let plan else { return nil }
        return try constraints.compile(plan)
    }

    private func compiled(
        _ plan: ConstraintPlan?, on executor: any TaskExecutor
    ) async throws(EngineError) -> TokenConstraint? {
        guard let plan else { return nil }
        return try await constraints.compile(plan, on: executor)
    }

    /// An answer that can be started as soon as its constraint is compiled.
    private struct Answer {
        var tokens: [Int32]
        var parser: any OutputParser
        var decoder: any TextDecoder
        var options: TextOptions
        var plan: ConstraintPlan?
        var thinking: ThinkingBudget?
    }

    private func prepare(_ request: TextRequest) throws(EngineError) -> Answer {
        let tokens: [Int32]
        switch request.prompt {
        case .tokens(let ids): tokens = ids
        case .text(let text): tokens = try encode(text, addsSpecialTokens: request.addsSpecialTokens)
        }
        return Answer(
            tokens: tokens, parser: PlainOutputParser(), decoder: tokenizer.makeDecoder(showsControlTokens: false),
            options: request.options,
            plan: try plan(request.options, tools: [], dialect: .plain, thinks: false))
    }

    private func prepare(_ request: ChatRequest) throws(EngineError) -> Answer {
        let prompt = try chatPrompt(request)
        let thinks = prompt.parser.isReasoning
        return Answer(
            tokens: prompt.tokens, parser: prompt.parser, decoder: tokenizer.makeDecoder(showsControlTokens: true),
            options: request.options,
            plan: try plan(request.options, tools: request.tools, dialect: prompt.dialect, thinks: thinks),
            thinking: try thinkingBudget(request.options.thinkingTokens, startsInside: thinks))
    }

    private func thinkingBudget(_ tokens: Int?, startsInside: Bool) throws(EngineError) -> ThinkingBudget? {
        guard let tokens else { return nil }
        func mark(_ text: String) throws(EngineError) -> [Int32] {
            try tokenizer.encode(text, addsSpecialTokens: false, parsesControlTokens: true)
        }
        return ThinkingBudget(
            tokens: tokens, opening: try mark("<think>"), closing: try mark("</think>"), startsInside: startsInside)
    }

    private func plan(
        _ options: TextOptions, tools: [JSONValue], dialect: OutputDialect, thinks: Bool
    ) throws(EngineError) -> ConstraintPlan? {
        guard let wanted = options.constraint else { return nil }
        func calls(_ isParallel: Bool, _ field: String) throws(EngineError) -> GrammarSource {
            do {
                return try ToolCallGrammar.source(tools, dialect: dialect, isParallel: isParallel)
            } catch {
                throw .invalidConstraint(field: field, reason: error.description)
            }
        }
        var plan: ConstraintPlan
        switch wanted.form {
        case .text(let text): plan = ConstraintPlan(source: text, field: wanted.field, thinks: thinks)
        case .toolCalls(let isParallel):
            plan = ConstraintPlan(source: try calls(isParallel, "tools"), field: "tools", thinks: thinks)
        case .textOrToolCalls(let text, let isParallel):
            plan = ConstraintPlan(source: text, field: wanted.field, thinks: thinks)
            // A model whose format has no calls makes none.
            if dialect != .plain, !tools.isEmpty {
                let calls = try calls(isParallel, "tools")
                plan.source = .either([calls, text])
                plan.calls = calls
            }
        }
        return plan
    }

    /// The prompt that `chat` would submit.
    public func chatTokens(_ request: ChatRequest) throws(EngineError) -> [Int32] { try chatPrompt(request).tokens }

    /// Token ids of a text; control tokens in it are not parsed.
    public func encode(_ text: String, addsSpecialTokens: Bool) throws(EngineError) -> [Int32] {
        try tokenizer.encode(text, addsSpecialTokens: addsSpecialTokens, parsesControlTokens: false)
    }

    /// The bytes that one token stands for; may be part of a character. Empty for ids outside the vocabulary.
    public func bytes(of token: Int32) -> [UInt8] { tokenizer.bytes(of: token) }

    /// The text of tokens, control tokens written out.
    package func spelling(of tokens: [Int32]) -> String {
        String(decoding: tokens.flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self)
    }

    /// Token ids of a text; control tokens in it are parsed.
    package func encodeParsingControlTokens(_ text: String, addsSpecialTokens: Bool) throws(EngineError) -> [Int32] {
        try tokenizer.encode(text, addsSpecialTokens: addsSpecialTokens, parsesControlTokens: true)
    }

    /// The text of tokens, control tokens left out.
    public func decode(_ tokens: [Int32]) -> String {
        var decoder = tokenizer.makeDecoder(showsControlTokens: false)
        var bytes: [UInt8] = []
        for token in tokens { bytes += decoder.push(token) }
        return String(decoding: bytes + decoder.finish(), as: UTF8.self)
    }

    private func chatPrompt(_ request: ChatRequest) throws(EngineError) -> ChatPrompt {
        guard let chatFormat else {
            throw .promptFailure(
                "the model has no chat template: use a plain prompt (/v1/completions), or give the server one (--chat-template)"
            )
        }
        // A template may take long for what fits no context.
        guard request.messages.count <= engine.maximumContext else {
            throw .invalidParameter(
                field: "messages", expected: "at most \(engine.maximumContext), as many as the context has tokens",
                found: "\(request.messages.count)")
        }
        return try chatFormat.prompt(request)
    }

    private func start(_ answer: Answer, _ constraint: TokenConstraint?) throws(EngineError) -> TextStream {
        let options = answer.options
        try options.validate()
        let submitted = ContinuousClock.now
        let tokens = options.truncation?.apply(to: answer.tokens) ?? answer.tokens
        var request = options.request(promptTokens: tokens)
        request.thinkingBudget = answer.thinking
        request.constraint = constraint
        let stream = try engine.submit(request)
        let assembler = TextAssembler(
            decoder: answer.decoder, parser: answer.parser, options: options, promptTokens: tokens.count)
        return TextStream(tokens: stream, assembler: assembler, submitted: submitted, promptIDs: tokens)
    }
}
