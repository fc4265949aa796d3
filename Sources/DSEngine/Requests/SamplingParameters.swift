/// How the next token is chosen from the model's logits.
///
/// The steps run in this order, with the meaning that vLLM gives to the fields of the same name (`typicalP` as in
/// Hugging Face transformers):
///
/// 1. `logitBias` is added; tokens outside `allowedTokens`, and those that would complete a sequence of
///    `bannedSequences`, are masked; end tokens are masked while fewer than `StoppingConditions.minTokens` tokens exist.
/// 2. `repetitionPenalty` (tokens of prompt and output), `frequencyPenalty` and `presencePenalty` (output only).
/// 3. `temperature`; at 0 the largest logit wins (the lowest id among equals) and the steps below are skipped.
/// 4. `minP`, then `topK`, then `topP`, then `typicalP`, each over what the earlier ones left, renormalised.
/// 5. One draw with a generator that depends on (`seed`, index of the output token) only, so that the result does not
///    depend on what else is in the batch.
public struct SamplingParameters: Sendable, Hashable {
    /// Divides the logits. 0 is greedy. Range 0...100.
    public var temperature: Double = 1
    /// Keeps the K most probable tokens; among equal logits the lower id stays. `nil` keeps all. At least 1.
    public var topK: Int?
    /// Keeps the smallest set of most probable tokens whose probabilities sum to at least this. Range 0 (exclusive)...1.
    public var topP: Double = 1
    /// Keeps tokens at least this fraction as probable as the most probable one. Range 0...1.
    public var minP: Double = 0
    /// Locally typical sampling: keeps the tokens whose information is closest to the entropy, until their
    /// probabilities sum to at least this. Range 0 (exclusive)...1; 1 is off.
    public var typicalP: Double = 1
    /// Divides positive logits, and multiplies negative ones, of tokens that occur in prompt or output. Above 0; 1 is off.
    public var repetitionPenalty: Double = 1
    /// Subtracted once from every token that occurs in the output. Range -2...2.
    public var presencePenalty: Double = 0
    /// Subtracted per occurrence in the output. Range -2...2.
    public var frequencyPenalty: Double = 0
    /// Added to the logits of these tokens. Range of each value -100...100.
    public var logitBias: [Int32: Double] = [:]
    /// Only these tokens can be chosen; end tokens count as others, so leave them in where the request shall end. `nil`:
    /// all. At least one.
    public var allowedTokens: [Int32]?
    /// Sequences of tokens that never appear whole in the output. None of them empty.
    public var bannedSequences: [[Int32]] = []
    /// Seeds this request's generator; `nil` draws a seed when the request is submitted.
    public var seed: UInt64?

    public init() {}

    /// The most probable token at every step.
    public static var greedy: SamplingParameters {
        var parameters = SamplingParameters()
        parameters.temperature = 0
        return parameters
    }

    /// Throws `EngineError.invalidParameter` for the first field outside its range.
    package func validate(vocabularySize: Int) throws(EngineError) {
        try Self.require("temperature", temperature, in: 0...100, "a number in 0...100")
        if let topK, topK < 1 { throw .invalidParameter(field: "top_k", expected: "at least 1", found: "\(topK)") }
        try Self.requireFraction("top_p", topP)
        try Self.require("min_p", minP, in: 0...1, "a number in 0...1")
        try Self.requireFraction("typical_p", typicalP)
        guard repetitionPenalty.isFinite, repetitionPenalty > 0 else {
            throw .invalidParameter(
                field: "repetition_penalty", expected: "a finite number above 0", found: "\(repetitionPenalty)")
        }
        try Self.require("presence_penalty", presencePenalty, in: -2...2, "a number in -2...2")
        try Self.require("frequency_penalty", frequencyPenalty, in: -2...2, "a number in -2...2")
        for (token, bias) in logitBias {
            guard (0..<vocabularySize).contains(Int(token)) else {
                throw .invalidParameter(
                    field: "logit_bias", expected: "token ids in 0..<\(vocabularySize)", found: "\(token)")
            }
            try Self.require("logit_bias", bias, in: -100...100, "values in -100...100")
        }
        try validateTokens(vocabularySize: vocabularySize)
    }

    private func validateTokens(vocabularySize: Int) throws(EngineError) {
        let expected = "token ids in 0..<\(vocabularySize)"
        if let allowedTokens {
            guard !allowedTokens.isEmpty else {
                throw .invalidParameter(field: "allowed_token_ids", expected: "at least one token id", found: "none")
            }
            for token in allowedTokens where !(0..<vocabularySize).contains(Int(token)) {
                throw .invalidParameter(field: "allowed_token_ids", expected: expected, found: "\(token)")
            }
        }
        for sequence in bannedSequences {
            guard !sequence.isEmpty else {
                throw .invalidParameter(field: "bad_words", expected: "words that have tokens", found: "one without")
            }
            for token in sequence where !(0..<vocabularySize).contains(Int(token)) {
                throw .invalidParameter(field: "bad_words", expected: expected, found: "\(token)")
            }
        }
    }

    private static func require(
        _ field: String, _ value: Double, in range: ClosedRange<Double>, _ expected: String
    ) throws(EngineError) {
        guard range.contains(value) else {
            throw .invalidParameter(field: field, expected: expected, found: "\(value)")
        }
    }

    private static func requireFraction(_ field: String, _ value: Double) throws(EngineError) {
        guard value > 0, value <= 1 else {
            throw .invalidParameter(field: field, expected: "a number above 0 and at most 1", found: "\(value)")
        }
    }
}
