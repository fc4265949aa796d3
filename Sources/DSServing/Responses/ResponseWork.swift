import DSEngine
import DSSupport
import Hummingbird

/// Answers one request for a response: whole, as a stream, or in the background.
struct ResponseWork: Sendable {
    var transcript: ResponseTranscript
    /// The conversation before the answer.
    let messages: [JSONValue]
    let stores: Bool
    let inputItems: [JSONValue]
    let store: ResponseStore
    /// See `ResponseStore.Entry.owner`.
    let owner: String?

    init(
        transcript: ResponseTranscript, messages: [JSONValue], body: CreateResponseBody, store: ResponseStore,
        owner: String?
    ) {
        self.owner = owner
        self.transcript = transcript
        self.messages = messages
        self.store = store
        stores = body.stores
        inputItems = body.inputItems
    }

    func whole(_ group: AnswerGroup) async throws -> JSONValue {
        var transcript = transcript
        _ = transcript.begin()
        let (output, result) = try await group.collect()[0]
        _ = transcript.push(output)
        _ = transcript.finish(result)
        save(transcript)
        return transcript.object
    }

    func stream(_ group: AnswerGroup) -> Response {
        ServerSentEvents.response(keepAlive: group.keepAlive) { events in
            var transcript = transcript
            for event in transcript.begin() { try await events.send(event.body, name: event.name) }
            do {
                try await group.forEach { _, event in
                    let news: [ResponseTranscript.Event]
                    switch event {
                    case .delta(let delta) where delta.isEmpty: return try await events.keepAlive()
                    case .delta(let delta): news = transcript.push(delta)
                    case .finished(let result): news = transcript.finish(result)
                    }
                    for event in news { try await events.send(event.body, name: event.name) }
                }
            } catch let error as EngineError {
                for event in transcript.fail(APIError(error, promptField: "input")) {
                    try await events.send(event.body, name: event.name)
                }
            }
            save(transcript)
            try await events.end()
        }
    }

    /// Returns the response as it stands at once; it can be asked for until it is forgotten.
    /// - Parameter onEnd: told what became of it, once.
    func inBackground(
        _ group: AnswerGroup, onEnd: @escaping @Sendable (ResponseTranscript.Status) -> Void
    ) -> JSONValue {
        let id = transcript.identity.id
        let started = transcript.object
        let ended = Completion()
        store.set(
            id,
            ResponseStore.Entry(
                owner: owner, response: started, inputItems: inputItems, messages: messages,
                cancel: {
                    group.finish()
                    await ended.wait()
                }))
        Task {
            var transcript = transcript
            do {
                let (output, result) = try await group.collect()[0]
                _ = transcript.push(output)
                _ = transcript.finish(result)
            } catch let error as EngineError {
                _ = transcript.fail(APIError(error, promptField: "input"))
            } catch {
                _ = transcript.fail(APIError(EngineError.shutDown))
            }
            // The only write after the first one.
            store.replace(id, entry(transcript, wasInBackground: true))
            onEnd(transcript.status)
            ended.complete()
        }
        return started
    }

    private func save(_ transcript: ResponseTranscript) {
        guard stores else { return }
        store.set(transcript.identity.id, entry(transcript, wasInBackground: false))
    }

    private func entry(_ transcript: ResponseTranscript, wasInBackground: Bool) -> ResponseStore.Entry {
        // One that is done can be cancelled, too, if it ran in the background: nothing happens.
        let done: (@Sendable () async -> Void)? = wasInBackground ? { @Sendable in } : nil
        let answer = (try? ResponseInput.messages(of: transcript.items, path: "output")) ?? []
        return ResponseStore.Entry(
            owner: owner, response: transcript.object, inputItems: inputItems, messages: messages + answer,
            cancel: done)
    }
}
