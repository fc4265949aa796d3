import DSEngine
import DSSupport
import FoundationEssentials

/// A response while it is written: takes what the model says, gives the events that a stream shows. A pure value.
struct ResponseTranscript: Sendable {
    typealias Event = (name: String, body: JSONValue)

    enum Status: String, Sendable {
        case inProgress = "in_progress"
        case completed, incomplete, failed, cancelled
    }

    let identity: AnswerIdentity
    /// Members that repeat the request.
    private let echo: JSONObject
    private let sealsReasoning: Bool
    private let isParallel: Bool
    private let logprobs: LogprobObjects?
    private var sequence = 0
    /// Items that are complete.
    private var output: [JSONValue] = []
    private var item: ResponseItem?
    private(set) var status = Status.inProgress
    private var usage: TokenUsage?
    private var error: JSONValue = .null

    init(_ identity: AnswerIdentity, _ body: CreateResponseBody) {
        self.identity = identity
        echo = body.echo
        sealsReasoning = body.sealsReasoning
        isParallel = body.tools.isParallel
        logprobs = body.logprobs.map { LogprobObjects(generator: body.model.generator, alternatives: $0) }
    }

    /// The response object as it stands.
    var object: JSONValue {
        var object = JSONObject([
            ("id", .text(identity.id)), ("object", "response"), ("created_at", .integer(Int64(identity.created))),
            ("status", .text(status.rawValue)), ("model", .text(identity.model)), ("output", .array(output)),
            ("error", error),
            ("incomplete_details", incompleteDetails),
            ("usage", usage.map(Self.usageObject) ?? .null),
        ])
        for member in echo.members { object.insert(member.key, member.value) }
        return .object(object)
    }

    private var incompleteDetails: JSONValue {
        guard status == .incomplete else { return .null }
        return ["reason": "max_output_tokens"]
    }

    /// The answer as a message of the conversation.
    var items: [JSONValue] { output }

    mutating func begin() -> [Event] {
        [event("response.created", [("response", object)]), event("response.in_progress", [("response", object)])]
    }

    mutating func push(_ delta: GenerationDelta) -> [Event] {
        var events: [Event] = []
        if !delta.reasoning.isEmpty {
            switchTo(.reasoning, &events)
            add(delta.reasoning, [], &events)
        }
        if !delta.content.isEmpty {
            switchTo(.message, &events)
            add(delta.content, logprobs?.content(delta.textTokens) ?? [], &events)
        }
        for call in delta.toolCalls where isParallel || call.index == 0 {
            let isNew = item?.kind != .call || item?.callIndex != call.index
            if isNew { switchTo(.call, &events, call: call) }
            if !call.arguments.isEmpty { add(call.arguments, [], &events) }
        }
        return events
    }

    mutating func finish(_ result: GenerationResult) -> [Event] {
        var events: [Event] = []
        status =
            switch result.reason {
            case .length: .incomplete
            case .cancelled: .cancelled
            default: .completed
            }
        if output.isEmpty, item == nil { switchTo(.message, &events) }
        close(&events, complete: status == .completed)
        usage = result.usage
        let name = status == .incomplete ? "response.incomplete" : "response.completed"
        events.append(event(name, [("response", object)]))
        return events
    }

    mutating func fail(_ failure: APIError) -> [Event] {
        var events: [Event] = []
        close(&events, complete: false)
        status = .failed
        error = ["code": .text(failure.code ?? "server_error"), "message": .text(failure.message)]
        events.append(event("response.failed", [("response", object)]))
        return events
    }

    // MARK: Items

    private mutating func switchTo(_ kind: ResponseItem.Kind, _ events: inout [Event], call: ToolCallDelta? = nil) {
        if item?.kind == kind, call == nil { return }
        close(&events, complete: true)
        let item = ResponseItem(kind, name: identity.name, index: output.count, call: call)
        self.item = item
        events.append(event("response.output_item.added", at: output.count, [("item", item.object(.inProgress))]))
        if let part = item.part(ended: false), kind == .message {
            events.append(event("response.content_part.added", item, [("content_index", 0), ("part", part)]))
        }
    }

    private mutating func add(_ text: String, _ logprobs: [JSONValue], _ events: inout [Event]) {
        guard var item else { return }
        item.text += text
        item.logprobs += logprobs
        self.item = item
        var members: [(JSONString, JSONValue)] = [("delta", .text(text))]
        if item.kind != .call { members.append(("content_index", 0)) }
        if item.kind == .message { members.append(("logprobs", .array(logprobs))) }
        events.append(event("\(item.kind.eventPrefix).delta", item, members))
    }

    private mutating func close(_ events: inout [Event], complete: Bool) {
        guard var item else { return }
        self.item = nil
        if sealsReasoning, item.kind == .reasoning {
            item.sealed = Data(item.text.utf8).base64EncodedString()
        }
        switch item.kind {
        case .call:
            let members: [(JSONString, JSONValue)] = [("arguments", .text(item.text)), ("name", .text(item.callName))]
            events.append(event("\(item.kind.eventPrefix).done", item, members))
        case .reasoning:
            let members: [(JSONString, JSONValue)] = [("text", .text(item.text)), ("content_index", 0)]
            events.append(event("\(item.kind.eventPrefix).done", item, members))
        case .message:
            events.append(
                event(
                    "\(item.kind.eventPrefix).done", item,
                    [("text", .text(item.text)), ("content_index", 0), ("logprobs", .array(item.logprobs))]))
            if let part = item.part(ended: true) {
                events.append(event("response.content_part.done", item, [("content_index", 0), ("part", part)]))
            }
        }
        let object = item.object(complete ? .completed : .incomplete)
        events.append(event("response.output_item.done", at: output.count, [("item", object)]))
        output.append(object)
    }

    // MARK: Events

    private mutating func event(
        _ name: String, _ item: ResponseItem, _ members: [(JSONString, JSONValue)]
    ) -> Event {
        event(name, at: output.count, [("item_id", .text(item.id))] + members)
    }

    private mutating func event(
        _ name: String, at index: Int? = nil, _ members: [(JSONString, JSONValue)]
    ) -> Event {
        var object = JSONObject([("type", .text(name)), ("sequence_number", .integer(Int64(sequence)))])
        sequence += 1
        if let index { object.insert("output_index", .integer(Int64(index))) }
        for (key, value) in members { object.insert(key, value) }
        return (name, .object(object))
    }

    private static func usageObject(_ usage: TokenUsage) -> JSONValue {
        let counts: JSONValue = [
            "input_tokens": .integer(Int64(usage.promptTokens)),
            "input_tokens_details": [
                "cached_tokens": .integer(Int64(usage.cachedPromptTokens)), "cache_write_tokens": 0,
            ],
            "output_tokens": .integer(Int64(usage.completionTokens)),
            "output_tokens_details": ["reasoning_tokens": .integer(Int64(usage.reasoningTokens))],
            "total_tokens": .integer(Int64(usage.promptTokens + usage.completionTokens)),
        ]
        return usage.withCost(counts)
    }
}
