/// How a request ended, as operators count it (the names are those of vLLM's `finished_reason`).
package enum RequestOutcome: String, Sendable, CaseIterable {
    /// An end token, a stop token or a stop string.
    case stop
    /// `maxTokens`, or the context, was used up.
    case length
    /// Its client cancelled it or went away.
    case abort
    /// A step failed, or the engine was shut down.
    case error

    package init(_ reason: FinishReason) {
        self =
            switch reason {
            case .endOfSequence, .stopToken, .stopString: .stop
            case .length: .length
            case .cancelled: .abort
            }
    }
}
