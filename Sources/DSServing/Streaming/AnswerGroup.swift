package import DSEngine
package import NIOCore

/// The streams of one HTTP request: one per choice. All end when the client goes.
package struct AnswerGroup: Sendable {
    package let streams: [TextStream]
    /// How often a stream that waits for its next event says that it lives; `nil`: never.
    package let keepAlive: Duration?
    private let connections: ClientConnections
    private let registration: ClientConnections.Registration?
    private let accounts: AnswerAccounts

    package init(
        _ streams: [TextStream], connections: ClientConnections, channel: (any Channel)?, accounts: AnswerAccounts,
        keepAlive: Duration? = nil
    ) {
        self.accounts = accounts
        self.streams = streams
        self.keepAlive = keepAlive
        self.connections = connections
        registration = channel.flatMap { channel in
            connections.onClose(of: channel) {
                for stream in streams { stream.cancel() }
            }
        }
    }

    /// Must be called once the answer was sent or failed.
    package func finish() {
        connections.remove(registration)
        for stream in streams { stream.cancel() }
    }

    /// A choice's complete answer.
    package typealias Answer = (output: GenerationDelta, result: GenerationResult)

    /// Waits for all answers, in the order of the streams. The requests run in one batch meanwhile.
    package func collect() async throws -> [Answer] {
        defer { finish() }
        return try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            for (index, stream) in streams.enumerated() {
                group.addTask { (index, try await collect(stream, index)) }
            }
            var answers: [Int: Answer] = [:]
            for try await (index, answer) in group { answers[index] = answer }
            return streams.indices.compactMap { answers[$0] }
        }
    }

    private func collect(_ stream: TextStream, _ index: Int) async throws(EngineError) -> Answer {
        do {
            let answer = try await stream.collect()
            guard answer.result.reason != .cancelled else {
                return (answer.output, await accounts.brokeOff(index, stream))
            }
            return (answer.output, accounts.ended(index, answer.result))
        } catch {
            await accounts.brokeOff(index, stream)
            accounts.record.failed(APIError(error))
            throw error
        }
    }

    /// Calls `body` with the events of all streams as they come; one call at a time. Where `keepAlive` is set, a stream
    /// that waits for long gives empty deltas.
    @concurrent package func forEach(_ body: @concurrent (Int, GenerationEvent) async throws -> Void) async throws {
        let nudges = keepAlive.map { interval in
            Task {
                while true {
                    try await Task.sleep(for: interval)
                    for stream in streams { stream.nudge() }
                }
            }
        }
        var unfinished = Set(streams.indices)
        defer {
            nudges?.cancel()
            finish()
        }
        func pass(_ index: Int, _ event: GenerationEvent) async throws {
            switch event {
            case .delta: try await body(index, event)
            case .finished(let result):
                unfinished.remove(index)
                try await body(index, .finished(accounts.ended(index, result)))
            }
        }
        do {
            try await forEachEvent(pass)
        } catch {
            await breakOff(unfinished)
            if let error = error as? EngineError { accounts.record.failed(APIError(error)) }
            throw error
        }
        await breakOff(unfinished)
    }

    private func breakOff(_ unfinished: Set<Int>) async {
        // All end before any is waited for.
        for index in unfinished { streams[index].cancel() }
        for index in unfinished { await accounts.brokeOff(index, streams[index]) }
    }

    @concurrent private func forEachEvent(
        _ pass: @concurrent (Int, GenerationEvent) async throws -> Void
    ) async throws {
        if streams.count == 1 {
            for try await event in streams[0] { try await pass(0, event) }
            return
        }
        // One event of each stream is fetched ahead: a slow client holds the streams back, and they pause their requests.
        try await withThrowingTaskGroup(of: (Int, GenerationEvent?).self) { group in
            let cursors = streams.map(Cursor.init)
            for index in cursors.indices { group.addTask { (index, try await cursors[index].next()) } }
            while let (index, event) = try await group.next() {
                guard let event else { continue }
                try await pass(index, event)
                group.addTask { (index, try await cursors[index].next()) }
            }
        }
    }

    /// A stream's position, handed from task to task.
    private actor Cursor {
        private var iterator: TextStream.AsyncIterator

        init(_ stream: TextStream) { iterator = stream.makeAsyncIterator() }

        func next() async throws(EngineError) -> GenerationEvent? {
            var iterator = iterator
            let event = try await iterator.next()
            self.iterator = iterator
            return event
        }
    }
}
