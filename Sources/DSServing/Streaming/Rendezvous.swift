/// Hands elements from one task to another, one at a time: the sender waits until its element was taken.
actor Rendezvous<Element: Sendable> {
    private var offered: Element?
    private var sender: CheckedContinuation<Void, Never>?
    private var receiver: CheckedContinuation<Element?, any Error>?
    private var end: Result<Void, any Error>?
    private var isAbandoned = false

    /// - Throws: `CancellationError` when nobody will take it.
    func send(_ element: Element) async throws {
        guard !isAbandoned else { throw CancellationError() }
        if let receiver {
            self.receiver = nil
            receiver.resume(returning: element)
            return
        }
        offered = element
        await withCheckedContinuation { sender = $0 }
        if isAbandoned { throw CancellationError() }
    }

    /// No element follows.
    func finish(_ end: Result<Void, any Error>) {
        self.end = end
        receiver?.resume(with: end.map { nil })
        receiver = nil
    }

    /// The next element; `nil` at the end.
    func next() async throws -> Element? {
        if let element = offered {
            offered = nil
            sender?.resume()
            sender = nil
            return element
        }
        if let end {
            try end.get()
            return nil
        }
        return try await withCheckedThrowingContinuation { receiver = $0 }
    }

    /// The receiver has gone.
    func abandon() {
        isAbandoned = true
        sender?.resume()
        sender = nil
    }
}
