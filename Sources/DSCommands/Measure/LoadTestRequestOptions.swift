import ArgumentParser
import DSLoadTest
import DSSupport
import Foundation

/// What requests ask.
struct LoadTestRequestOptions: ParsableArguments {
    @Option(help: "A prompt; several are used in turn.")
    var prompt: [String] = []
    @Option(
        help: ArgumentHelp(
            "Requests from a file: JSON lines with prompt or messages, and max_tokens if wanted; or ShareGPT's form.",
            valueName: "file"),
        completion: .file())
    var dataset: String?
    @Flag(help: "Use the dataset in an order that follows from --seed.")
    var shuffle = false
    @Option(
        name: [.customLong("random-input-len"), .customLong("synthetic-tokens")],
        help: ArgumentHelp("Prompts of so many tokens, made of random words. (default: 128)", valueName: "n"))
    var randomInputLen: Int?
    @Option(
        help: ArgumentHelp(
            "Lengths of synthetic prompts, and the limits of their answers, vary uniformly by this part: 0.5 is half to one and a half.",
            valueName: "0...1"))
    var randomRangeRatio = 0.0
    @Option(
        name: [.customLong("shared-prefix-tokens"), .customLong("random-prefix-len")],
        help: ArgumentHelp(
            "Tokens before the synthetic prompts that all share: a system message in chats.", valueName: "n"))
    var sharedPrefixTokens = 0
    @Option(
        name: [.long, .customLong("random-output-len")],
        help: ArgumentHelp("At most so many tokens per answer.", valueName: "n"))
    var maxTokens = 128
    @Flag(help: "Answers run to --max-tokens (where the server knows ignore_eos).")
    var ignoreEos = false
    @Option(help: "0 is greedy. (default: the server's)")
    var temperature: Double?
    @Option(help: ArgumentHelp("A JSON object whose fields join those of every request.", valueName: "json"))
    var extraBody: String?
    @Flag(help: "Ask for whole answers: no time to first token, no inter-token latency.")
    var noStream = false

    func check() throws {
        let isSynthetic = randomInputLen != nil || sharedPrefixTokens > 0
        guard [!prompt.isEmpty, dataset != nil, isSynthetic].count(where: { $0 }) <= 1 else {
            throw ValidationError(
                "expected one of --prompt, --dataset and synthetic prompts (--random-input-len, --shared-prefix-tokens), found several"
            )
        }
        if randomRangeRatio > 0, !prompt.isEmpty || dataset != nil {
            throw ValidationError(
                "--random-range-ratio: expected synthetic prompts, found \(dataset == nil ? "--prompt" : "--dataset")")
        }
        if shuffle, dataset == nil { throw ValidationError("--shuffle: expected together with --dataset") }
        try Limits.check(randomInputLen, 1...Limits.tokens, "--random-input-len")
        try Limits.check(sharedPrefixTokens, 0...Limits.tokens, "--shared-prefix-tokens")
        try Limits.check(maxTokens, 1...Limits.tokens, "--max-tokens")
        guard (0...1).contains(randomRangeRatio) else {
            throw ValidationError("--random-range-ratio: expected 0...1, found \(randomRangeRatio)")
        }
        _ = try extraFields()
    }

    func extraFields() throws -> JSONObject {
        guard let extraBody else { return JSONObject() }
        guard let object = try? JSONValue.parse(extraBody).objectValue else {
            throw ValidationError("--extra-body: expected a JSON object, found '\(extraBody)'")
        }
        return object
    }

    /// Synthetic prompts still have to learn how many tokens a word makes.
    func prompts(endpoint: Endpoint, seed: UInt64) throws -> PromptSource {
        if !prompt.isEmpty { return .list(prompt.map { PlannedRequest(prompt: .text($0)) }) }
        guard let dataset else {
            return .synthetic(
                SyntheticPrompts(
                    tokens: randomInputLen ?? 128, answerTokens: randomRangeRatio > 0 ? maxTokens : nil,
                    spread: randomRangeRatio, sharedPrefixTokens: sharedPrefixTokens, seed: seed))
        }
        guard let bytes = FileManager.default.contents(atPath: ModelPath.expanded(dataset)) else {
            throw ValidationError("--dataset: cannot read \(dataset)")
        }
        let source = PromptSource.list(try DatasetReader.requests(in: Array(bytes), path: dataset))
        try source.check(for: endpoint)
        return shuffle ? source.shuffled(seed: seed) : source
    }

    /// Whether prompts or answers are described, other than by their defaults.
    func isGiven() throws -> Bool { settings(words: nil) != (try Self.parse([])).settings(words: nil) || shuffle }

    func settings(words: WordFit?) -> [LoadReport.Setting] {
        let isSynthetic = prompt.isEmpty && dataset == nil
        return [
            .init("prompts", prompt.isEmpty ? .null : .array(prompt.map { .text($0) })),
            .init("dataset", dataset.map { .text($0) } ?? .null),
            .init("random_input_len", isSynthetic ? .integer(Int64(randomInputLen ?? 128)) : .null),
            .init("random_range_ratio", isSynthetic ? .number(randomRangeRatio) : .null),
            .init("shared_prefix_tokens", isSynthetic ? .integer(Int64(sharedPrefixTokens)) : .null),
            .init("tokens_per_word", words.map { .number($0.perWord) } ?? .null),
            .init("max_tokens", .integer(Int64(maxTokens))), .init("ignore_eos", .bool(ignoreEos)),
            .init("temperature", temperature.map { .number($0) } ?? .null), .init("stream", .bool(!noStream)),
            .init("extra_body", extraBody.map { .text($0) } ?? .null),
        ]
    }
}
