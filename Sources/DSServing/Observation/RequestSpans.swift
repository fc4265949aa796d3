import DSEngine
import DSObservability
import HTTPTypes
import Hummingbird
import Tracing

/// A request's spans: one of the server, and in it one per answer with the attributes that vLLM's spans have.
struct RequestSpans {
    private let tracer: SpanTracer
    private let server: RecordedSpan

    init(_ tracer: SpanTracer, _ request: Request) {
        var context = ServiceContext.topLevel
        if let parent = request.headers[.traceparent] {
            context.trace = TraceContext(traceparent: parent, state: request.headers[.tracestate])
        }
        self.tracer = tracer
        server = tracer.startSpan(request.method.rawValue, context: context, ofKind: .server)
    }

    var context: ServiceContext { server.context }

    func end(_ request: Request, route: String?, status: Int, client: String?, _ state: RequestRecord.State) {
        guard server.isRecording else { return }
        if let submitted = state.submitted {
            for answer in state.answers { write(answer, submitted, state) }
        }
        if let route { server.operationName = "\(request.method.rawValue) \(route)" }
        server.updateAttributes { attributes in
            attributes["http.request.method"] = request.method.rawValue
            attributes["url.path"] = request.uri.path
            attributes["http.response.status_code"] = status
            attributes["http.response.body.size"] = state.bytes
            attributes["deepseek.request.id"] = state.id
            if let route { attributes["http.route"] = route }
            if let client { attributes["client.address"] = client }
            if let error = state.error { attributes["error.type"] = error }
        }
        if status >= 500 { server.setStatus(SpanStatus(code: .error, message: state.error)) }
        server.end()
    }

    private func write(_ answer: AnswerRecord, _ submitted: Timestamp, _ state: RequestRecord.State) {
        let span = tracer.startSpan("llm_request", context: server.context, ofKind: .server, at: submitted)
        let timings = answer.result?.timings
        func event(_ name: String, _ time: Duration?) {
            if let time { span.addEvent(SpanEvent(name: name, at: submitted.advanced(by: time))) }
        }
        span.updateAttributes { attributes in
            attributes["gen_ai.request.id"] = state.id
            attributes["gen_ai.request.n"] = state.answersPerPrompt
            if let sampling = answer.sampling {
                attributes["gen_ai.request.temperature"] = sampling.temperature
                attributes["gen_ai.request.top_p"] = sampling.topP
            }
            if let limit = answer.maxTokens { attributes["gen_ai.request.max_tokens"] = limit }
            if let model = state.model { attributes["gen_ai.response.model"] = model }
            attributes["gen_ai.response.finish_reasons"] = [answer.finishReason]
            attributes["gen_ai.usage.num_sequences"] = 1
            attributes["gen_ai.usage.prompt_tokens"] = answer.promptTokens
            if let usage = answer.result?.usage {
                attributes["gen_ai.usage.completion_tokens"] = usage.completionTokens
                attributes["gen_ai.usage.cached_tokens"] = usage.cachedPromptTokens
            }
            if let timings { Self.add(timings, to: &attributes) }
        }
        event("scheduled", timings?.scheduled)
        event("first_token", timings?.firstToken)
        event("last_token", timings?.lastToken)
        if let finished = timings?.finished { span.end(at: submitted.advanced(by: finished)) } else { span.end() }
    }

    private static func add(_ timings: RequestTimings, to attributes: inout SpanAttributes) {
        func set(_ name: String, _ from: Duration?, _ to: Duration?) {
            guard let from, let to else { return }
            attributes["gen_ai.latency." + name] = (to - from) / .seconds(1)
        }
        set("time_in_queue", .zero, timings.scheduled)
        set("time_to_first_token", .zero, timings.firstToken)
        set("e2e", .zero, timings.finished)
        set("time_in_model_prefill", timings.scheduled, timings.firstToken)
        set("time_in_model_decode", timings.firstToken, timings.lastToken)
        set("time_in_model_inference", timings.scheduled, timings.lastToken)
        attributes["deepseek.compute_seconds"] = timings.computeSeconds
    }
}

extension HTTPField.Name {
    static let traceparent = HTTPField.Name("traceparent")!
    static let tracestate = HTTPField.Name("tracestate")!
}
