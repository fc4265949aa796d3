package import ArgumentParser

/// `deepseek`: run, inspect and measure models.
package struct DeepSeekCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "deepseek",
        abstract: "Run, inspect and measure DeepSeek models on this machine.",
        discussion: """
            MODEL is a Hugging Face directory, a .gguf or a .ds file; without one, the small model inside this program \
            answers, offline.

            EXAMPLES
              deepseek chat
              deepseek run "What is 4821 + 377?"
              deepseek run --model ~/models/R1-Distill-Qwen-1.5B-Q8_0.gguf "Why is the sky blue?"
              deepseek info ~/models/DeepSeek-V2-Lite
              deepseek bench model.gguf -p 512 -n 64 -d 0,4096 -b 1,8
            """,
        version: Version.text,
        subcommands: [
            ChatCommand.self, RunCommand.self, TokenizeCommand.self, DetokenizeCommand.self, InfoCommand.self,
            GraphCommand.self, LogitsCommand.self, EvalCommand.self, BenchCommand.self, GrammarCommand.self,
            LoadTestCommand.self,
            DoctorCommand.self,
        ])

    package init() {}
}

/// The version of all tools.
package enum Version {
    package static let text = "0.1.0"
}
