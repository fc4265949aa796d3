package import DSSupport

/// What one request asks, before an endpoint gives it a form.
package struct PlannedRequest: Sendable, Equatable {
    package enum Prompt: Sendable, Equatable {
        case text(String)
        /// An array of messages, as a file has it.
        case messages(JSONValue)
    }

    package var prompt: Prompt
    /// What many requests begin with: a system message, or the head of a text.
    package var sharedPrefix: String?
    /// Overrides the test's own limit.
    package var maxTokens: Int?

    package init(prompt: Prompt, sharedPrefix: String? = nil, maxTokens: Int? = nil) {
        self.prompt = prompt
        self.sharedPrefix = sharedPrefix
        self.maxTokens = maxTokens
    }
}
