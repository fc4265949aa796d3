import DSEngine

/// Prints an answer as it comes: thinking dimmed, the answer plain, tool calls as JSON.
struct AnswerPrinter {
    private var isThinking = false
    private var lastCall: Int?
    private(set) var answer = GenerationDelta()
    private let showsThinking: Bool

    init(showsThinking: Bool) { self.showsThinking = showsThinking }

    /// Prints the whole stream and returns how it ended.
    mutating func print(_ stream: TextStream) async throws -> GenerationResult? {
        var result: GenerationResult?
        for try await event in stream {
            switch event {
            case .delta(let delta):
                answer.append(delta)
                show(delta)
            case .finished(let end): result = end
            }
        }
        closeThinking(before: "")
        Terminal.write("\n")
        return result
    }

    private mutating func show(_ delta: GenerationDelta) {
        if !delta.reasoning.isEmpty, showsThinking {
            if !isThinking {
                isThinking = true
                Terminal.write(Terminal.stylesOutput ? "\u{1B}[2m" : "<think>")
            }
            Terminal.write(delta.reasoning)
        }
        if !delta.content.isEmpty {
            let isFirst = isThinking
            closeThinking(before: "\n")
            // Models begin the answer with blank lines after their thinking.
            Terminal.write(isFirst ? String(delta.content.drop { $0.isNewline }) : delta.content)
        }
        for call in delta.toolCalls {
            closeThinking(before: "\n")
            if lastCall != call.index { Terminal.write("\(lastCall == nil ? "" : "\n")→ \(call.name ?? "") ") }
            lastCall = call.index
            Terminal.write(call.arguments)
        }
    }

    private mutating func closeThinking(before next: String) {
        guard isThinking else { return }
        isThinking = false
        Terminal.write((Terminal.stylesOutput ? "\u{1B}[0m" : "</think>") + next)
    }
}

extension GenerationResult {
    /// Tokens, time to first token and rate, for a line under the answer.
    var summary: String {
        let first = (timings.firstToken ?? timings.finished).map { $0 / .seconds(1) } ?? 0
        let seconds = timings.decodingSeconds
        let rate = seconds > 0 ? Double(usage.completionTokens - 1) / seconds : 0
        return "\(usage.promptTokens) prompt + \(usage.completionTokens) tokens, first after "
            + "\(Units.decimal(first * 1000, 0)) ms, then \(Units.decimal(rate, 1)) tokens/s"
    }
}
