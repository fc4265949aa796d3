/// A part of an answer.
package enum AnswerEvent: Sendable, Equatable {
    case reasoning(String)
    case content(String)
    /// The first event of a call carries its name and no arguments; the arguments follow in pieces of JSON text.
    case toolCall(index: Int, name: String?, arguments: String)
}

/// Collects the events of an answer: whole characters only, neighbours of one kind joined.
struct AnswerOutput: Sendable {
    enum Sink: Sendable, Equatable {
        case reasoning, content
        case arguments(call: Int)
    }

    private var events: [AnswerEvent] = []
    /// The event that still grows, and where it belongs.
    private var open: [UInt8] = []
    private var sink = Sink.content
    private var callCount = 0

    mutating func write(_ bytes: some Collection<UInt8>, to sink: Sink) {
        guard !bytes.isEmpty else { return }
        if sink != self.sink { close() }
        self.sink = sink
        open += bytes
    }

    mutating func write(_ text: String, to sink: Sink) { write(text.utf8, to: sink) }

    /// The index of the call that begins here.
    mutating func beginCall(_ name: [UInt8]) -> Int {
        close()
        events.append(.toolCall(index: callCount, name: String(decoding: name, as: UTF8.self), arguments: ""))
        callCount += 1
        return callCount - 1
    }

    /// The events since the last call; a character that is not complete waits.
    mutating func take() -> [AnswerEvent] {
        let tail = open.suffix(IncrementalDetokenizer.unfinishedTail(open.suffix(4)))
        open.removeLast(tail.count)
        close()
        open = Array(tail)
        defer { events = [] }
        return events
    }

    /// The last events: a character that is not complete becomes U+FFFD.
    mutating func finish() -> [AnswerEvent] {
        close()
        return take()
    }

    private mutating func close() {
        guard !open.isEmpty else { return }
        let text = String(decoding: open, as: UTF8.self)
        open = []
        switch sink {
        case .reasoning: events.append(.reasoning(text))
        case .content: events.append(.content(text))
        case .arguments(let call): events.append(.toolCall(index: call, name: nil, arguments: text))
        }
    }
}
