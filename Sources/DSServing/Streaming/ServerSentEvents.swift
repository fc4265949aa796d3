package import DSSupport
package import Hummingbird
import NIOCore

/// Writes `data: {json}` events. Its functions are concurrent, as the writer of the HTTP library is.
package struct ServerSentEvents {
    private var writer: any ResponseBodyWriter
    private var buffer = ByteBuffer()
    private let keepAliveInterval: Duration?
    private var lastWrite = ContinuousClock.now

    package init(_ writer: any ResponseBodyWriter, keepAlive: Duration? = nil) {
        self.writer = writer
        keepAliveInterval = keepAlive
    }

    /// - Parameter name: the `event:` line of APIs that have one.
    @concurrent package mutating func send(_ value: JSONValue, name: String? = nil) async throws {
        try await send(bytes: value.serialized(), name: name)
    }

    /// The end that OpenAI's clients wait for.
    @concurrent package mutating func done() async throws {
        try await send(bytes: Array("[DONE]".utf8))
        try await end()
    }

    /// The end of APIs whose last event has a name.
    @concurrent package mutating func end() async throws { try await writer.finish(nil) }

    /// Writes a comment if nothing was written for the interval: proxies close connections that are silent.
    @concurrent package mutating func keepAlive() async throws {
        guard let keepAliveInterval, lastWrite.duration(to: .now) >= keepAliveInterval / 2 else { return }
        buffer.clear()
        buffer.writeStaticString(": ping\n\n")
        try await write()
    }

    @concurrent private mutating func send(bytes: [UInt8], name: String? = nil) async throws {
        buffer.clear()
        if let name {
            buffer.writeStaticString("event: ")
            buffer.writeString(name)
            buffer.writeStaticString("\n")
        }
        buffer.writeStaticString("data: ")
        buffer.writeBytes(bytes)
        buffer.writeStaticString("\n\n")
        try await write()
    }

    @concurrent private mutating func write() async throws {
        if keepAliveInterval != nil { lastWrite = .now }
        try await writer.write(buffer)
    }

    package static func response(
        keepAlive: Duration? = nil,
        _ body: @escaping @concurrent @Sendable (inout ServerSentEvents) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
                // nginx passes a stream on as it comes.
                .init("x-accel-buffering")!: "no",
            ],
            body: ResponseBody { writer in
                var events = ServerSentEvents(writer, keepAlive: keepAlive)
                try await body(&events)
            })
    }
}
