import ArgumentParser
import DSEngine
import DSServing
import DSSupport

/// `deepseek run`: one question, one answer.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Answer one prompt.",
        discussion: """
            The prompt `-` is read from standard input.

            EXAMPLES
              deepseek run "What is 4821 + 377?"
              deepseek run --no-thinking "Capital of France?" --temperature 0
              deepseek run -m model.gguf --raw "Once upon a time" -n 64
              git diff | deepseek run -m model.gguf --json -
            """)

    @OptionGroup var model: ModelOption
    @OptionGroup var engine: EngineOptions
    @OptionGroup var sampling: SamplingOptions
    @Argument(help: "The prompt.")
    var prompt: String
    @Option(help: "A system message.")
    var system: String?
    @Flag(inversion: .prefixedNo, help: "Whether the model thinks before it answers (default: it does).")
    var thinking: Bool?
    @Flag(help: "Continue the prompt as plain text, without the chat template.")
    var raw = false
    @Flag(help: "Do not print the thinking.")
    var hideThinking = false
    @Flag(help: "Print token counts and rates to standard error.")
    var statistics = false
    @Flag(help: "Print one JSON object with reasoning, content, tool calls and usage.")
    var json = false

    func run() async throws {
        let loaded = try model.load()
        let generator = try engine.generator(for: loaded)
        var options = TextOptions()
        options.sampling = GenerationDefaults(loaded).sampling
        sampling.apply(to: &options)
        let stream = try start(generator, options)
        let result: GenerationResult?
        if json {
            let (output, end) = try await stream.collect()
            Terminal.line(object(output, end).serializedString(.pretty))
            result = end
        } else {
            var printer = AnswerPrinter(showsThinking: !hideThinking)
            result = try await printer.print(stream)
        }
        if statistics, let result { Terminal.note(result.summary) }
        await generator.engine.shutdown()
    }

    private func start(_ generator: TextGenerator, _ options: TextOptions) throws -> TextStream {
        let prompt = try prompt == "-" ? StandardInput.text() : prompt
        guard !prompt.isEmpty else { throw ValidationError("PROMPT: expected a text, found an empty one") }
        if raw { return try generator.generate(TextRequest(.text(prompt), options: options)) }
        var messages = [ChatMessage(role: "user", content: prompt)]
        if let system { messages.insert(ChatMessage(role: "system", content: system), at: 0) }
        return try generator.chat(ChatRequest(messages: messages, thinking: thinking ?? true, options: options))
    }

    private func object(_ output: GenerationDelta, _ result: GenerationResult) -> JSONValue {
        [
            "reasoning": .text(output.reasoning), "content": .text(output.content),
            "tool_calls": .array(
                output.toolCalls.map { ["name": .text($0.name ?? ""), "arguments": .text($0.arguments)] }),
            "finish_reason": .text(result.reason.text(calledTools: !output.toolCalls.isEmpty)),
            "prompt_tokens": .integer(Int64(result.usage.promptTokens)),
            "completion_tokens": .integer(Int64(result.usage.completionTokens)),
            "reasoning_tokens": .integer(Int64(result.usage.reasoningTokens)),
            "draft_tokens": .integer(Int64(result.usage.draftTokens)),
            "accepted_draft_tokens": .integer(Int64(result.usage.acceptedDraftTokens)),
        ]
    }
}
