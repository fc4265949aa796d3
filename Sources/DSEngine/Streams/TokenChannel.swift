internal import Synchronization

/// A bounded queue of events from the loop to one consumer.
///
/// The loop never blocks on it: a step adds at most `eventsPerStep` events to a channel, and a request whose channel has
/// no room for so many is paused until the consumer has taken half of them. Memory stays bounded however slow the
/// consumer is.
package final class TokenChannel: Sendable {
    /// Prompt log-probabilities, a token, as many more as guesses may be right, and the end.
    private let eventsPerStep: Int

    private struct State: Sendable {
        /// Events [head, head + count), modulo the capacity.
        var ring: [TokenEvent?]
        var head = 0
        var count = 0
        var end: Result<Void, EngineError>?
        var isPaused = false
        var account = RequestAccount()
        /// The consumer is gone; events are dropped.
        var isAbandoned = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    package let id: RequestID
    private let mailbox: Mailbox
    private let state: Mutex<State>
    /// The loop is done with the request.
    private let settled = Completion()

    /// - Parameter draftTokens: tokens that a step may add beside the usual one.
    package init(id: RequestID, capacity: Int, draftTokens: Int = 0, mailbox: Mailbox) {
        self.id = id
        self.mailbox = mailbox
        eventsPerStep = 3 + draftTokens
        state = Mutex(State(ring: Array(repeating: nil, count: max(capacity, eventsPerStep + 1))))
    }

    // MARK: The loop's side

    /// Adds an event. Returns false if the request must pause after this step.
    /// - Parameters:
    ///   - wakes: whether a consumer that waits goes on at once, or with a later event or `wake()`.
    ///   - account: what the request used up to this event.
    func send(_ event: TokenEvent, wakes: Bool = true, account: RequestAccount? = nil) -> Bool {
        let (waiter, hasRoom) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            guard !state.isAbandoned, state.end == nil else { return (nil, true) }
            precondition(state.count < state.ring.count, "a step sent more events than it may")
            state.ring[(state.head + state.count) % state.ring.count] = event
            state.count += 1
            if let account { state.account = account }
            state.isPaused = state.isPaused || state.ring.count - state.count < eventsPerStep
            return (wakes ? state.waiter.take() : nil, !state.isPaused)
        }
        waiter?.resume()
        return hasRoom
    }

    /// Lets a consumer go on that waits although events were sent.
    func wake() {
        state.withLock { $0.waiter.take() }?.resume()
    }

    /// Gives a consumer that waits an event without content.
    func nudge() {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiter != nil, state.count == 0, state.end == nil else { return nil }
            state.ring[state.head] = .prompt([])
            state.count = 1
            return state.waiter.take()
        }?.resume()
    }

    /// No event follows; the consumer sees the end, or the error, after the events before it.
    /// - Parameter account: all that the request used, whoever read it.
    func close(_ end: Result<Void, EngineError> = .success(()), account: RequestAccount) {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.account = account
            if state.end == nil { state.end = end }
            return state.waiter.take()
        }?.resume()
        settled.complete()
    }

    // MARK: The consumer's side

    private enum Taken {
        case event(TokenEvent, mustResume: Bool)
        case end(Result<Void, EngineError>)
        case nothing
    }

    /// The next event; `nil` at the end, and when the consuming task was cancelled (which cancels the request).
    package func next() async throws(EngineError) -> TokenEvent? {
        while true {
            switch state.withLock({ Self.take(&$0) }) {
            case .event(let event, let mustResume):
                if mustResume { mailbox.post(.resume(id)) }
                return event
            case .end(let end):
                try end.get()
                return nil
            case .nothing:
                await waitForEvent()
                if Task.isCancelled {
                    abandon()
                    return nil
                }
            }
        }
    }

    /// What the request had used when its last event was sent.
    var account: RequestAccount { state.withLock { $0.account } }

    /// What the request used in all. Waits until the loop is done with it: it must end by itself, or be abandoned.
    func settledAccount() async -> RequestAccount {
        await settled.wait()
        return account
    }

    /// The consumer is gone: the request is cancelled at the next step.
    /// - Parameter isFinished: because it has the whole answer; so the request counts as finished.
    package func abandon(isFinished: Bool = false) {
        let isNews = state.withLock { state in
            let isNews = !state.isAbandoned && state.end == nil
            state.isAbandoned = true
            state.end = state.end ?? .success(())
            for index in state.ring.indices { state.ring[index] = nil }
            state.count = 0
            return isNews
        }
        if isNews { mailbox.post(isFinished ? .finish(id) : .cancel(id)) }
    }

    /// Events that wait for the consumer.
    package var bufferedCount: Int { state.withLock { $0.count } }

    private static func take(_ state: inout State) -> Taken {
        guard state.count > 0, let event = state.ring[state.head] else {
            return state.end.map(Taken.end) ?? .nothing
        }
        state.ring[state.head] = nil
        state.head = (state.head + 1) % state.ring.count
        state.count -= 1
        let mustResume = state.isPaused && state.count <= state.ring.count / 2 && state.end == nil
        if mustResume { state.isPaused = false }
        return .event(event, mustResume: mustResume)
    }

    private func waitForEvent() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.count > 0 || state.end != nil || Task.isCancelled { return true }
                    precondition(state.waiter == nil, "a token stream has one consumer")
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }
}
