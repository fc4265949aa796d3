package import DSEngine

/// One answer of a request: what was asked for, and what became of it.
package struct AnswerRecord: Sendable {
    package var promptTokens: Int
    /// The first of the answers to its prompt, for which the prompt counts.
    package var isFirst: Bool
    package var maxTokens: Int?
    /// Nil where nothing is generated: of an embedding.
    package var sampling: Sampling?
    /// Nil until it ended; one that broke off was cancelled.
    package var result: GenerationResult?

    package struct Sampling: Sendable {
        package var temperature: Double
        package var topP: Double
    }

    /// What traces and log lines call the end of an answer.
    package var finishReason: String { result?.reason.text(calledTools: false) ?? "abort" }
}
