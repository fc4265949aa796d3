import AsyncHTTPClient
import DSSupport
import NIOCore
import NIOHTTP1

/// Sends requests and notes when what came back. Connections are kept; nothing is sent twice, no redirect is followed.
package final class LoadClient: Sendable {
    private let http: HTTPClient
    private let target: Target
    private let timeout: Duration
    /// Bytes of a body that is not a stream, and of an error's.
    private static let maximumBody = 64 << 20

    /// - Parameter timeout: of a whole request, from sending it to its last byte.
    package init(target: Target, timeout: Duration) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // An open loop has as many connections as requests are under way; a pool must not queue them.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1 << 16
        configuration.connectionPool.retryConnectionEstablishment = false
        // Below what servers grant idle connections, so that none is closed as it is taken.
        configuration.connectionPool.idleTimeout = .seconds(4)
        configuration.timeout.connect = .seconds(30)
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.target = target
        self.timeout = timeout
    }

    package func shutdown() async { try? await http.shutdown() }

    /// Sends one request and reads its answer to the end.
    package func send(
        _ body: [UInt8], to endpoint: Endpoint, index: Int, due: Double, stopwatch: Stopwatch
    ) async -> RequestRecord {
        enum Part: Sendable {
            case record(RequestRecord)
            case timerEnded(expired: Bool)
        }
        return await withTaskGroup(of: Part.self) { group in
            group.addTask { .record(await self.answer(body, endpoint, index, due, stopwatch)) }
            group.addTask { [timeout] in
                do { try await Task.sleep(for: timeout) } catch { return .timerEnded(expired: false) }
                return .timerEnded(expired: true)
            }
            var isExpired = false
            var record = RequestRecord(index: index, due: due, sent: due, end: due)
            while let part = await group.next() {
                switch part {
                case .record(let answer): record = answer
                case .timerEnded(let expired): isExpired = expired
                }
                group.cancelAll()
            }
            if isExpired, record.failure != nil {
                record.failure = Failure(.timeout, "no whole answer within \(timeout)")
            }
            return record
        }
    }

    private func answer(
        _ body: [UInt8], _ endpoint: Endpoint, _ index: Int, _ due: Double, _ stopwatch: Stopwatch
    ) async -> RequestRecord {
        var request = request(path: endpoint.path)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        let sent = stopwatch.seconds
        var reader = AnswerReader(RequestRecord(index: index, due: due, sent: sent, end: sent))
        do {
            let response = try await http.execute(request, deadline: .distantFuture)
            guard response.status == .ok else {
                let message = await Self.errorText(response)
                reader.fail(Failure(.status(Int(response.status.code)), message))
                return reader.finish(at: stopwatch.seconds)
            }
            let type = response.headers.first(name: "content-type") ?? ""
            if type.lowercased().hasPrefix("text/event-stream") {
                try await Self.readStream(response.body, into: &reader, stopwatch)
            } else {
                let bytes = try await response.body.collect(upTo: Self.maximumBody)
                reader.read(body: Array(bytes.readableBytesView), at: stopwatch.seconds)
            }
        } catch {
            reader.fail(Failure(.connection, ConnectionReason.text(error)))
        }
        return reader.finish(at: stopwatch.seconds)
    }

    private static func readStream(
        _ body: HTTPClientResponse.Body, into reader: inout AnswerReader, _ stopwatch: Stopwatch
    ) async throws {
        var parser = ServerSentEventParser()
        for try await piece in body {
            // The time first: what is parsed later must not make it late.
            let time = stopwatch.seconds
            parser.feed(piece.readableBytesView) { reader.read($0, at: time) }
        }
    }

    /// What an error's body says, or the body.
    private static func errorText(_ response: HTTPClientResponse) async -> String {
        guard let body = try? await response.body.collect(upTo: maximumBody) else { return "no body" }
        let bytes = Array(body.readableBytesView)
        let object = try? JSONValue.parse(bytes, limits: JSONLimits(duplicateKeys: .lastWins))
        return object.flatMap(AnswerReader.errorMessage) ?? AnswerReader.excerpt(bytes)
    }

    private func request(path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: target.base + path)
        if let key = target.apiKey { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        for header in target.headers { request.headers.add(name: header.name, value: header.value) }
        return request
    }

    /// The names that `GET /v1/models` lists, of a model with several (entries with one `root`) the first.
    package func models() async throws(LoadTestError) -> [String] {
        do {
            let response = try await http.execute(request(path: "/v1/models"), timeout: .seconds(30))
            let body = Array(try await response.body.collect(upTo: Self.maximumBody).readableBytesView)
            let list = try JSONValue.parse(body, limits: JSONLimits(duplicateKeys: .lastWins))
            if response.status == .ok, let data = list["data"]?.arrayValue {
                var roots: Set<String> = []
                return data.compactMap { model in
                    if let root = model["root"]?.stringValue, !roots.insert(root).inserted { return nil }
                    return model["id"]?.stringValue
                }
            }
            throw LoadTestError.server(
                "\(target.base)/v1/models", expected: "a list of models",
                found: "status \(response.status.code): \(AnswerReader.excerpt(body))")
        } catch let error as LoadTestError {
            throw error
        } catch {
            throw .server("\(target.base)/v1/models", expected: "a list of models", found: ConnectionReason.text(error))
        }
    }
}
