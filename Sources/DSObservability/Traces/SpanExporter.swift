internal import AsyncHTTPClient
internal import DSSupport
package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Sends finished spans to a collector by OTLP over HTTP: in batches, in the background, never holding up a request.
package final class SpanExporter: Sendable {
    package enum Encoding: String, Sendable, CaseIterable {
        case protobuf = "http/protobuf"
        case json = "http/json"

        var contentType: String { self == .json ? "application/json" : "application/x-protobuf" }
    }

    package struct Configuration: Sendable {
        /// The address that takes `POST`s of spans.
        package var url: String
        package var encoding = Encoding.protobuf
        package var headers: [(name: String, value: String)] = []
        package var resource: TraceResource
        /// Spans that wait at most, and that go together at most.
        package var capacity = 2048
        package var batch = 512
        package var interval = Duration.seconds(1)
        /// Seconds until an answer must be there.
        package var timeout = 10

        package init(url: String, resource: TraceResource) {
            self.url = url
            self.resource = resource
        }
    }

    package struct Counts: Sendable, Equatable {
        package var exported = 0
        /// Because too many waited, and because the collector did not take them.
        package var overflowed = 0
        package var refused = 0
        package var waiting = 0
    }

    private struct State {
        var queue: SpanQueue
        /// Whether the last batch was, so that an outage is said once.
        var wasRefused = false
        var counts = Counts()
    }

    private let configuration: Configuration
    private let logger: Logger
    private let state: Mutex<State>
    /// Tries per batch, and the pause before the second; it doubles.
    private static let attempts = 3
    private static let pause = Duration.milliseconds(250)
    /// How long a collector may hold up the end of the program, twice: with what is on its way, and with what is left.
    private static let farewell = Duration.seconds(2)

    package init(_ configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        state = Mutex(State(queue: SpanQueue(capacity: configuration.capacity)))
    }

    package func add(_ span: SpanRecord) { state.withLock { $0.queue.add(span) } }

    package var counts: Counts {
        state.withLock { state in
            var counts = state.counts
            counts.overflowed = state.queue.dropped
            counts.waiting = state.queue.count
            return counts
        }
    }

    /// Sends while `body` runs, and then what is left.
    @concurrent package func export(during body: () async throws -> Void) async throws {
        let sending = Task { await run() }
        do {
            try await body()
        } catch {
            sending.cancel()
            await sending.value
            throw error
        }
        sending.cancel()
        await sending.value
    }

    /// Cancelling the task ends the waiting at once and the sending, which has a task of its own, a little later.
    private func run() async {
        var isCancelled = false
        while !isCancelled {
            do { try await Task.sleep(for: configuration.interval) } catch { isCancelled = true }
            let sending = Task { await sendWaiting() }
            await withTaskCancellationHandler {
                await sending.value
            } onCancel: {
                Task {
                    try? await Task.sleep(for: Self.farewell)
                    sending.cancel()
                }
            }
        }
    }

    private func sendWaiting() async {
        while case let batch = state.withLock({ $0.queue.take(configuration.batch) }), !batch.isEmpty {
            let failure = await send(batch)
            let wasRefused = state.withLock { state in
                defer { state.wasRefused = failure != nil }
                if failure == nil { state.counts.exported += batch.count } else { state.counts.refused += batch.count }
                return state.wasRefused
            }
            if let failure, !wasRefused {
                logger.warning(
                    "traces: \(configuration.url): expected the collector to take \(batch.count) spans, found: \(failure)"
                )
            }
        }
    }

    /// Nil if the collector took the spans, else why not.
    private func send(_ batch: [SpanRecord]) async -> String? {
        let body =
            switch configuration.encoding {
            case .protobuf: SpanProtobuf.request(batch, from: configuration.resource)
            case .json: SpanJSON.request(batch, from: configuration.resource).serialized()
            }
        var pause = Self.pause
        var failure = ""
        for attempt in 1...Self.attempts {
            switch await post(body) {
            case .taken: return nil
            case .refused(let reason): return reason
            case .tryAgain(let reason): failure = reason
            }
            if Task.isCancelled { return "no answer before the end: \(failure)" }
            if attempt < Self.attempts { try? await Task.sleep(for: pause) }
            pause *= 2
        }
        return failure
    }

    private enum Outcome {
        case taken
        case refused(String)
        case tryAgain(String)
    }

    private func post(_ body: [UInt8]) async -> Outcome {
        var request = HTTPClientRequest(url: configuration.url)
        request.method = .POST
        request.headers.add(name: "content-type", value: configuration.encoding.contentType)
        for header in configuration.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(Int64(configuration.timeout)))
            switch response.status.code {
            case 200..<300: return .taken
            case 429, 502, 503, 504: return .tryAgain("status \(response.status.code)")
            default: return .refused("status \(response.status.code)")
            }
        } catch {
            return .tryAgain("\(error)")
        }
    }
}
