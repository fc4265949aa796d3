import DSEngine

/// A loop without a thread: tests take its turns.
struct HandLoop {
    let mailbox = Mailbox()
    let board = StatisticsBoard()
    let loop: EngineLoop
    private var nextID: UInt64 = 1

    init(
        _ runner: ScriptedModelRunner = ScriptedModelRunner(), endTokens: [Int32] = [],
        speculator: Speculator? = nil, configuration: EngineConfiguration = EngineConfiguration()
    ) {
        self.init(
            runner, limits: runner.limits, endTokens: endTokens, speculator: speculator, configuration: configuration)
    }

    private let hasher: BlockHasher?

    init(
        _ runner: any ModelRunner, limits: Scheduler.Limits, endTokens: [Int32] = [],
        speculator: Speculator? = nil, hasher: BlockHasher? = nil,
        configuration: EngineConfiguration = EngineConfiguration()
    ) {
        self.hasher = hasher
        loop = EngineLoop(
            runner: runner, limits: limits, endTokens: endTokens, mailbox: mailbox, board: board,
            speculator: speculator, hasher: hasher, configuration: configuration)
    }

    mutating func submit(_ request: GenerationRequest, capacity: Int = 64) -> TokenChannel {
        let channel = TokenChannel(id: RequestID(nextID), capacity: capacity, mailbox: mailbox)
        nextID += 1
        mailbox.post(
            .submit(
                Submission(
                    id: channel.id, request: request, seed: request.sampling.seed ?? 0, channel: channel,
                    submitted: .now, chain: hasher?.chain(of: request.promptTokens, salt: request.cacheSalt))))
        return channel
    }

    /// One turn of the loop; false if there was nothing to do.
    @discardableResult
    func turn() -> Bool {
        _ = loop.drainCommands(mayWait: false)
        return loop.step()
    }
}
