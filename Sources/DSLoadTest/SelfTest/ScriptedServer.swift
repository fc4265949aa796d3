import DSSupport
import NIOCore
import NIOHTTP1
import NIOPosix

/// A server on a free port of this machine that computes nothing: it answers every request with the same stream, whose events
/// leave at known times. It shows what the client itself costs, and tests read the client's figures against it.
package struct ScriptedServer: Sendable {
    /// One answer.
    package struct Script: Sendable {
        /// Events with text, one token each.
        package var events: Int
        /// Until the first event, and between events.
        package var interval: Duration

        package init(events: Int, interval: Duration) {
            self.events = events
            self.interval = interval
        }
    }

    private let channel: any Channel
    package let port: Int

    package var url: String { "http://127.0.0.1:\(port)" }

    package static func start(_ script: Script) async throws -> ScriptedServer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(ScriptedAnswers(script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else {
            throw LoadTestError.server("self-test", expected: "a port", found: "none")
        }
        return ScriptedServer(channel: channel, port: port)
    }

    package func stop() async { try? await channel.close() }
}

/// Answers the requests of one connection.
private final class ScriptedAnswers: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: ScriptedServer.Script
    private let role = ScriptedAnswers.event([
        "choices": [["index": 0, "delta": ["role": "assistant", "content": ""], "finish_reason": nil]]
    ])
    private let token = ScriptedAnswers.event([
        "choices": [["index": 0, "delta": ["content": " word"], "finish_reason": nil]]
    ])
    private let end: ByteBuffer

    init(_ script: ScriptedServer.Script) {
        self.script = script
        var end = Self.event(["choices": [["index": 0, "delta": [:], "finish_reason": "length"]]])
        end.writeImmutableBuffer(
            Self.event([
                "choices": [],
                "usage": ["prompt_tokens": 8, "completion_tokens": .integer(Int64(script.events))],
            ]))
        end.writeString("data: [DONE]\n\n")
        self.end = end
    }

    private static func event(_ object: JSONValue) -> ByteBuffer {
        ByteBuffer(string: "data: \(object.serializedString())\n\n")
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        var head = HTTPResponseHead(version: .http1_1, status: .ok)
        head.headers.add(name: "content-type", value: "text/event-stream")
        head.headers.add(name: "transfer-encoding", value: "chunked")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        send(role, context)
        schedule(1, start: .now(), context)
    }

    /// Sends the events whose time has come, and comes back for the next one.
    private func schedule(_ number: Int, start: NIODeadline, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        guard number <= script.events else {
            send(end, context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            return
        }
        let due = start + TimeAmount(script.interval) * number
        context.eventLoop.assumeIsolated().scheduleTask(deadline: due) {
            self.send(self.token, context)
            self.schedule(number + 1, start: start, context)
        }
    }

    private func send(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
    }
}
