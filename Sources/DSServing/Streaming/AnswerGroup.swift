package import DSEngine
package import NIOCore

/// The streams of one HTTP request: one per choice. All end when the client goes.
package struct AnswerGroup: Sendable {
    package let streams: [TextStream]
    /// How often a stream that waits for its next event says that it lives; `nil`: never.
    package let keepAlive: Duration?
    private let connections: ClientConnections
    private let registration: ClientConnections.Registration?
    /// Told how many tokens an answer took, prompt and output, also if it broke off.
    private let charge: @Sendable (Int) -> Void
    private let record: RequestRecord

    package init(
        _ streams: [TextStream], connections: ClientConnections, channel: (any Channel)?, record: RequestRecord,
        keepAlive: Duration? = nil, charge: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.record = record
        self.streams = streams
        self.keepAlive = keepAlive
        self.connections = connections
        self.charge = charge
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
            for try await (index, answer) in group {
                answers[index] = answer
                charge(answer.result.usage.totalTokens)
            }
            return streams.indices.compactMap { answers[$0] }
        }
    }

    private func collect(_ stream: TextStream, _ index: Int) async throws(EngineError) -> Answer {
        do {
            let answer = try await stream.collect()
            return (answer.output, record.ended(index, answer.result))
        } catch {
            record.failed(APIError(error))
            throw error
        }
    }

    /// An event with what its request cost.
    private func noted(_ event: GenerationEvent, _ index: Int) -> GenerationEvent {
        switch event {
        case .delta: event
        case .finished(let result): .finished(record.ended(index, result))
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
        // Output of answers that have not finished, by stream.
        var unfinished: [Int: Int] = [:]
        defer {
            nudges?.cancel()
            for tokens in unfinished.values { charge(tokens) }
            finish()
        }
        func pass(_ index: Int, _ event: GenerationEvent) async throws {
            switch event {
            case .delta(let delta): unfinished[index, default: 0] += delta.tokens.count
            case .finished(let result):
                unfinished[index] = nil
                charge(result.usage.totalTokens)
            }
            try await body(index, noted(event, index))
        }
        do {
            try await forEachEvent(pass)
        } catch let error as EngineError {
            record.failed(APIError(error))
            throw error
        }
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

extension TokenUsage {
    /// What an answer is charged for.
    fileprivate var totalTokens: Int { promptTokens + completionTokens }
}
