/// Text (or tokens) to be continued with text.
public struct TextRequest: Sendable {
    public enum Prompt: Sendable, Equatable {
        /// Encoded with the tokenizer's special tokens in front; control tokens in the text are not parsed.
        case text(String)
        case tokens([Int32])
    }

    public var prompt: Prompt
    public var options: TextOptions
    /// A text prompt starts with the tokenizer's special tokens.
    public var addsSpecialTokens = true

    public init(_ prompt: Prompt, options: TextOptions = TextOptions()) {
        self.prompt = prompt
        self.options = options
    }
}

/// How text is generated, for plain and for chat requests.
public struct TextOptions: Sendable {
    public var sampling = SamplingParameters()
    public var stopping = StoppingConditions()
    /// Texts that end the request; found in everything the model writes, reasoning included. Not looked for in the
    /// first `StoppingConditions.minTokens` tokens. At most `maximumStopStrings`, none of them empty.
    public var stopStrings: [String] = []
    /// The stop string that was found is part of the text.
    public var includesStopString = false
    /// See `GenerationRequest.logprobs`.
    public var logprobs: Int?
    /// See `GenerationRequest.promptLogprobs`.
    public var promptLogprobs: Int?

    /// Tokens of thinking after which its end is forced; `nil`: the model ends it. Only conversations think.
    public var thinkingTokens: Int?
    /// Shortens prompts that are longer; `nil`: they are an error.
    public var truncation: PromptTruncation?
    /// What the answer must look like; `nil`: anything.
    package var constraint: AnswerConstraint?
    /// See `GenerationRequest.priority`.
    public var priority = 0
    /// See `GenerationRequest.timeout`.
    public var timeout: Duration?
    /// See `GenerationRequest.cacheSalt`.
    public var cacheSalt: String?
    /// See `GenerationRequest.cacheOwner`.
    public var cacheOwner: String?

    public static let maximumStopStrings = 64

    public init() {}

    package func validate() throws(EngineError) {
        guard stopStrings.count <= Self.maximumStopStrings else {
            throw .invalidParameter(
                field: "stop", expected: "at most \(Self.maximumStopStrings) strings", found: "\(stopStrings.count)")
        }
        guard stopStrings.allSatisfy({ !$0.isEmpty }) else {
            throw .invalidParameter(field: "stop", expected: "strings that are not empty", found: "\"\"")
        }
        if let thinkingTokens, thinkingTokens < 0 {
            throw .invalidParameter(
                field: "thinking_token_budget", expected: "at least 0", found: "\(thinkingTokens)")
        }
        if let truncation, truncation.count < 1 {
            throw .invalidParameter(
                field: "truncate_prompt_tokens", expected: "at least 1", found: "\(truncation.count)")
        }
    }

    func request(promptTokens: [Int32]) -> GenerationRequest {
        var request = GenerationRequest(
            promptTokens: promptTokens, sampling: sampling, stopping: stopping, logprobs: logprobs,
            promptLogprobs: promptLogprobs)
        request.priority = priority
        request.timeout = timeout
        request.cacheSalt = cacheSalt
        request.cacheOwner = cacheOwner
        return request
    }
}
