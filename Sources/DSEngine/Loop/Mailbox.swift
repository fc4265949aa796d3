/// What others ask of the loop; read between two steps.
package enum Command: Sendable {
    case submit(Submission)
    case cancel(RequestID)
    /// The consumer found the end of the answer before the engine did (a stop string).
    case finish(RequestID)
    /// The consumer of a paused request has made room.
    case resume(RequestID)
    /// A block of a request's prefix came from the store, or did not.
    case loaded(RequestID, BlockKey, BlockLoad)
}

/// A validated request on its way to the loop.
package struct Submission: Sendable {
    package let id: RequestID
    let request: GenerationRequest
    let seed: UInt64
    let channel: TokenChannel
    let submitted: ContinuousClock.Instant
    /// Keys of the prompt's blocks; nil: the request shares none.
    let chain: BlockChain?

    package init(
        id: RequestID, request: GenerationRequest, seed: UInt64, channel: TokenChannel,
        submitted: ContinuousClock.Instant, chain: BlockChain? = nil
    ) {
        self.id = id
        self.request = request
        self.seed = seed
        self.channel = channel
        self.submitted = submitted
        self.chain = chain
    }
}

/// The loop's inbox: any thread posts, the loop's thread drains.
package final class Mailbox: Sendable {
    struct Content: Sendable {
        var commands: [Command] = []
        var isClosed = false
    }

    private let content = Signal(Content())

    package init() {}

    /// False, without effect, if the mailbox was closed.
    @discardableResult
    package func post(_ command: Command) -> Bool {
        content.update { content in
            guard !content.isClosed else { return false }
            content.commands.append(command)
            return true
        }
    }

    /// No command is accepted from now on.
    package func close() { content.update { $0.isClosed = true } }

    /// Whether anybody waits for a command to be carried out, or for the end.
    var hasCommands: Bool { content.update { $0.isClosed || !$0.commands.isEmpty } }

    /// Swaps the waiting commands into `commands` (which should be empty). Parks until there are any, the mailbox is
    /// closed, or it is `deadline`, if `mayWait`. Returns whether it is closed.
    func drain(
        into commands: inout [Command], mayWait: Bool, deadline: ContinuousClock.Instant? = nil
    ) -> Bool {
        content.wait(until: { !mayWait || $0.isClosed || !$0.commands.isEmpty }, deadline: deadline) { content in
            swap(&content.commands, &commands)
            return content.isClosed
        }
    }
}
