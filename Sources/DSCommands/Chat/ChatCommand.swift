import ArgumentParser
import DSEngine
import DSModels
import Foundation

/// `deepseek chat`: a conversation at the terminal.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk with a model.",
        discussion: """
            Commands inside: /help, /thinking on|off, /system TEXT, /reset, /temperature T, /stats, /exit.
            Earlier lines come back with the arrow keys.

            EXAMPLES
              deepseek chat
              deepseek chat ~/models/R1-Distill-Qwen-7B-Q4_K_M.gguf --system "Answer in one sentence."
            """)

    @OptionGroup var model: ModelArgument
    @OptionGroup var engine: EngineOptions
    @OptionGroup var sampling: SamplingOptions
    @Option(help: "A system message.")
    var system: String?
    @Flag(inversion: .prefixedNo, help: "Whether the model thinks before it answers.")
    var thinking = true

    func run() async throws {
        let loaded = try model.load()
        let generator = try engine.generator(for: loaded, keepsAnswers: true)
        var options = TextOptions()
        options.sampling = GenerationDefaults(loaded).sampling
        sampling.apply(to: &options)
        if Terminal.inputIsInteractive {
            let configuration = loaded.configuration
            Terminal.note("\(loaded.name): \(configuration.architecture). /help lists commands, Ctrl-D ends.")
        }
        var session = ChatSession(generator: generator, options: options, system: system, thinking: thinking)
        var editor = LineEditor(historyFile: Self.historyFile)
        while let line = editor.readLine(prompt: "> ") {
            switch ChatLine(line) {
            case .message(let text): await session.answer(text)
            case .command(let command):
                guard session.perform(command) else {
                    await generator.engine.shutdown()
                    return
                }
            case .mistake(let text): Terminal.note(text)
            case .empty: continue
            }
        }
        await generator.engine.shutdown()
    }

    /// Follows the XDG base directories.
    private static var historyFile: URL? {
        let state = Environment["XDG_STATE_HOME"] ?? Environment["HOME"].map { $0 + "/.local/state" }
        return state.map { URL(fileURLWithPath: $0 + "/deepseek/chat_history") }
    }
}
