import ArgumentParser
import DSServing

/// Where the server listens, and what it takes from a connection.
struct ListenOptions: ParsableArguments {
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes a free one, which the log names (environment: PORT, too).")
    var port = 8080
    @Option(help: "A Unix socket to listen on instead.", completion: .file())
    var uds: String?
    @Option(help: "Seconds until a connection is closed that is idle or whose request stops coming.")
    var idleTimeout = 60
    @Option(help: "Seconds within which the whole of a request must have come.")
    var requestTimeout = 300
    @Option(help: "Seconds after which a stream that waits for its model sends a comment; 0: never.")
    var sseKeepAliveInterval = 15
    @Option(help: "MiB of the largest request body.")
    var maxBodySize = 64
    @Option(help: "Connections at the same time; on one more, requests are refused with 503.")
    var maxConnections = 4096
    @Option(help: "An origin whose pages browsers may let call the server, or *. Repeatable.")
    var allowedOrigins: [String] = []

    func apply(to configuration: inout DeepSeekServer.Configuration) throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port: expected 0...65535, found \(port)") }
        try Limits.check(idleTimeout, 1...86_400, "--idle-timeout")
        try Limits.check(requestTimeout, 1...86_400, "--request-timeout")
        try Limits.check(sseKeepAliveInterval, 0...86_400, "--sse-keep-alive-interval")
        try Limits.check(maxBodySize, 1...4096, "--max-body-size (MiB)")
        try Limits.check(maxConnections, 1...1_000_000, "--max-connections")
        if let uds, uds.isEmpty || uds.utf8.count > 107 {
            throw ValidationError("--uds: expected a path of 1...107 bytes, found \(uds.utf8.count)")
        }
        configuration.address = uds.map { .socket(path: $0) } ?? .tcp(host: host, port: port)
        configuration.idleSeconds = idleTimeout
        configuration.requestSeconds = requestTimeout
        configuration.keepAliveSeconds = sseKeepAliveInterval
        configuration.maximumBodyBytes = maxBodySize << 20
        configuration.maximumConnections = maxConnections
        configuration.allowedOrigins = allowedOrigins
    }
}
