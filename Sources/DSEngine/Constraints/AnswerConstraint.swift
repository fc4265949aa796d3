package import DSGrammar

/// What an answer must look like, as a request asks for it. It holds from the end of the model's thinking on; until then
/// the answer cannot end.
package struct AnswerConstraint: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        /// The text of the answer.
        case text(GrammarSource)
        /// Calls of the conversation's tools and nothing else, in the model's own markup: at least one, one only unless
        /// `isParallel`. Only conversations have tools.
        case toolCalls(isParallel: Bool)
        /// The text, or calls as above: the model chooses by how it begins.
        case textOrToolCalls(GrammarSource, isParallel: Bool)
    }

    package var form: Form
    /// The request's field that asked for it, for messages.
    package var field: String

    package init(_ form: Form, field: String = "response_format") {
        self.form = form
        self.field = field
    }
}
