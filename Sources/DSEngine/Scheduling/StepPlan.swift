/// Where the scheduler keeps a request, as a dense index; reused after the request is gone.
package struct SequenceSlot: Hashable, Sendable {
    package let rawValue: Int

    package init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// What one step computes: consecutive tokens of some requests, and the rows whose logits are needed.
///
/// Rows are ordered: all prompt chunks first, then all decode chunks, each in the order of their arrays.
package struct StepPlan: Sendable {
    /// Consecutive tokens of one request, all of the same form: known ones, then drafted ones.
    package struct Chunk: Sendable, Equatable {
        package let id: RequestID
        package let slot: SequenceSlot
        /// Index of the first token in the request's tokens (= its position).
        package let start: Int
        package let count: Int
        /// First row of the batch.
        package let row: Int
        /// How many of the tokens, the last ones, are drafted.
        package let drafted: Int

        package var end: Int { start + count }
    }

    /// A row whose logits are read.
    package struct Sampled: Sendable, Equatable {
        package enum Purpose: Sendable, Equatable {
            /// Choose the request's next token.
            case nextToken
            /// Report the log-probability of the known prompt token after this row.
            case promptLogprob
        }

        package let id: RequestID
        package let slot: SequenceSlot
        package let row: Int
        /// Index of the row's own token in the request's tokens.
        package let tokenIndex: Int
        package let purpose: Purpose
        /// The row's own token if it is a guess: the row counts only if that is what the row before it chooses.
        package let draft: Int32?
    }

    /// Chunks of prompt tokens (token index < prompt count): computed in the model's prompt form.
    package internal(set) var prompts: [Chunk] = []
    /// Chunks of generated tokens: computed in the model's decode form, also when they are computed again.
    package internal(set) var decodes: [Chunk] = []
    package internal(set) var sampled: [Sampled] = []
    package internal(set) var promptRows = 0
    package internal(set) var decodeRows = 0
    /// Requests that decode have no part in this step, which is the prompts' alone.
    package internal(set) var leavesAnswers = false
    /// Requests that lost their blocks while this plan was made.
    package internal(set) var preempted: [RequestID] = []

    package init() {}

    /// Stands for the token of a row whose own token was guessed wrong.
    package static let void: Int32 = -1
    /// Stands for the token of a row that is computed once more in the next step, because nothing was chosen for it yet. Rows of guesses
    /// behind it are void; one of a guess may be postponed itself, which means that nobody looked at what follows it.
    package static let postponed: Int32 = -2

    package var rows: Int { promptRows + decodeRows }
    package var isEmpty: Bool { rows == 0 }

    mutating func removeAll() {
        prompts.removeAll(keepingCapacity: true)
        decodes.removeAll(keepingCapacity: true)
        sampled.removeAll(keepingCapacity: true)
        preempted.removeAll(keepingCapacity: true)
        promptRows = 0
        decodeRows = 0
        leavesAnswers = false
    }
}

/// A sequence made progress: a token was chosen for it, or it ended, or both.
package struct Progress: Sendable, Equatable {
    package let id: RequestID
    package let slot: SequenceSlot
    /// Index into `StepPlan.sampled` of the token's row; `nil` if the request ended without a token.
    package let sampledIndex: Int?
    package let isTerminator: Bool
    /// Set if the request ended; its slot and blocks are free again.
    package let finish: Ending?

    package struct Ending: Sendable, Equatable {
        package let reason: FinishReason
        package let usage: TokenUsage
    }
}
