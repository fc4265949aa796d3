/// One event of a stream.
package struct ServerSentEvent: Sendable, Equatable {
    /// Nil for an event without a name, a `message`.
    package var name: String?
    package var data: [UInt8]

    package init(name: String? = nil, data: [UInt8]) {
        self.name = name
        self.data = data
    }
}
