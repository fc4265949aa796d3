import DSObservability
import Hummingbird
import Logging
import NIOCore
import Tracing

/// Gives every request its id, and counts, logs and traces it when its answer was written. Outermost of all.
struct RequestObserver: RouterMiddleware {
    typealias Context = ServingContext

    let observability: Observability
    let logger: Logger
    /// What nginx calls a request whose client went away.
    private static let clientClosedRequest = 499

    init(_ observability: Observability, logger: Logger) {
        self.observability = observability
        self.logger = logger
    }

    @concurrent func handle(
        _ request: Request, context: ServingContext,
        next: @concurrent (Request, ServingContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let observation = begin(request, &context)
        do {
            var response: Response
            if let spans = observation.spans {
                let inner = context
                response = try await ServiceContext.withValue(spans.context) { try await next(request, inner) }
            } else {
                response = try await next(request, context)
            }
            response.headers[.requestID] = observation.id
            finish(observation, &response)
            return response
        } catch {
            observation.end(status: error is CancellationError ? Self.clientClosedRequest : 500, isWritten: false)
            throw error
        }
    }

    private func begin(_ request: Request, _ context: inout ServingContext) -> RequestObservation {
        let id = RequestNames.name(of: request) ?? AnswerIdentity.randomName()
        let spans = observability.tracer.map { RequestSpans($0, request) }
        var log = logger
        log[metadataKey: "request_id"] = "\(id)"
        let trace =
            spans?.context.trace
            ?? request.headers[.traceparent].flatMap { TraceContext(traceparent: $0, state: nil) }
        if let trace {
            log[metadataKey: "trace_id"] = "\(trace.traceID)"
            log[metadataKey: "span_id"] = "\(trace.spanID)"
        }
        context.logger = log
        context.record.update { [costs = observability.costs] in
            $0.id = id
            $0.costs = costs
        }
        observability.metrics.began()
        return RequestObservation(
            id: id, request: request, context: context, spans: spans, observability: observability, logger: log)
    }

    /// A body of known length is written at once; the end of a stream is waited for.
    private func finish(_ observation: RequestObservation, _ response: inout Response) {
        let status = Int(response.status.code)
        if let length = response.body.contentLength {
            observation.record.update { $0.bytes = length }
            observation.end(status: status)
            return
        }
        let body = response.body
        // A body may also be dropped before anybody writes it.
        let departure = Departure { observation.end(status: status, isWritten: false) }
        response.body = ResponseBody { writer in
            defer { departure.leave() }
            try await body.write(CountingWriter(writer, observation.record))
            observation.end(status: status)
        }
    }
}

/// Counts the bytes of a body.
private struct CountingWriter: ResponseBodyWriter {
    private var writer: any ResponseBodyWriter
    private let record: RequestRecord

    init(_ writer: any ResponseBodyWriter, _ record: RequestRecord) {
        self.writer = writer
        self.record = record
    }

    @concurrent mutating func write(_ buffer: ByteBuffer) async throws {
        record.update { $0.bytes += buffer.readableBytes }
        try await writer.write(buffer)
    }

    @concurrent consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await writer.finish(trailingHeaders)
    }
}
