import DSSupport
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers probes on the connection's event loop, which never computes: they are answered while every thread of Swift's
/// shared pool is busy. It also refuses what is beyond the number of connections, and closes connections whose request
/// takes too long to come.
final class ProbeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let monitor: HealthMonitor
    private let keys: KeyStore
    private let connections: ClientConnections
    private let limits: ConnectionLimits
    /// Requests that were passed on and whose answers are not complete.
    private var outstanding = 0
    /// The request that is being read and is answered here.
    private var probe: HTTPRequest?
    private var isRefused = false
    private var deadline: Scheduled<Void>?

    init(monitor: HealthMonitor, keys: KeyStore, connections: ClientConnections, limits: ConnectionLimits) {
        self.monitor = monitor
        self.keys = keys
        self.connections = connections
        self.limits = limits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            expectEnd(of: context.channel)
            // Answers keep the order of their requests: with one outstanding, the router's own route answers.
            if outstanding == 0, question(of: head) != nil {
                probe = head
                return
            }
            if outstanding == 0, connections.count > limits.connections {
                return refuse(context, isHead: head.method == .head)
            }
            outstanding += 1
        case .body:
            if probe != nil { return }
        case .end:
            deadline?.cancel()
            deadline = nil
            if let probe {
                self.probe = nil
                return answer(probe, context)
            }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { outstanding -= 1 }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    private func expectEnd(of channel: any Channel) {
        deadline?.cancel()
        deadline = channel.eventLoop.scheduleTask(in: .seconds(Int64(limits.requestSeconds))) {
            channel.close(promise: nil)
        }
    }

    private func question(of head: HTTPRequest) -> HealthMonitor.Question? {
        guard head.method == .get || head.method == .head, let path = head.path else { return nil }
        return HealthMonitor.Question(path: String(path.prefix { $0 != "?" }))
    }

    private func answer(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        guard let question = question(of: head) else { return }
        let mayReadFigures =
            keys.isOpen || Credentials.secret(in: head.headerFields).flatMap(keys.grant) != nil
        let (status, body) = monitor.answer(question, detailed: mayReadFigures)
        let closes = head.headerFields[.connection]?.lowercased() == "close"
        send(body, status, isHead: head.method == .head, closes: closes, context)
    }

    private func refuse(_ context: ChannelHandlerContext, isHead: Bool) {
        isRefused = true
        let error = APIError.tooManyConnections(limits.connections)
        send(error.body, error.status, retryAfter: error.retryAfter, isHead: isHead, closes: true, context)
    }

    private func send(
        _ body: JSONValue, _ status: HTTPResponse.Status, retryAfter: Int? = nil, isHead: Bool, closes: Bool,
        _ context: ChannelHandlerContext
    ) {
        let bytes = body.serialized()
        var response = HTTPResponse(
            status: status,
            headerFields: [
                .contentType: "application/json", .contentLength: String(bytes.count), .server: "deepseek-server",
            ])
        if let retryAfter { response.headerFields[.retryAfter] = String(retryAfter) }
        if closes { response.headerFields[.connection] = "close" }
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if !isHead { context.write(wrapOutboundOut(.body(ByteBuffer(bytes: bytes))), promise: nil) }
        let end = wrapOutboundOut(.end(nil))
        guard closes else { return context.writeAndFlush(end, promise: nil) }
        let channel = context.channel
        context.writeAndFlush(end).whenComplete { _ in channel.close(promise: nil) }
    }
}
