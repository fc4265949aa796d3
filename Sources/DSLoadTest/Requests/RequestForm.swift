package import DSSupport

/// What all requests of a test have in common.
package struct RequestForm: Sendable {
    package var endpoint: Endpoint
    package var model: String
    package var maxTokens: Int
    package var isStreamed = true
    package var ignoresEnd = false
    package var temperature: Double?
    /// Fields that replace or join the others.
    package var extra = JSONObject()

    package init(endpoint: Endpoint, model: String, maxTokens: Int) {
        self.endpoint = endpoint
        self.model = model
        self.maxTokens = maxTokens
    }

    package func body(for request: PlannedRequest) -> [UInt8] {
        var body = JSONObject()
        body["model"] = .text(model)
        switch endpoint {
        case .chat: body["messages"] = Self.messages(request)
        case .completions: body["prompt"] = .text(Self.text(request))
        }
        body["max_tokens"] = .integer(Int64(request.maxTokens ?? maxTokens))
        if let temperature { body["temperature"] = .number(temperature) }
        if ignoresEnd { body["ignore_eos"] = true }
        body["stream"] = .bool(isStreamed)
        if isStreamed { body["stream_options"] = ["include_usage": true] }
        for (key, value) in extra { body[key] = value }
        return JSONValue.object(body).serialized()
    }

    private static func messages(_ request: PlannedRequest) -> JSONValue {
        var messages: [JSONValue] = []
        if let prefix = request.sharedPrefix { messages.append(["role": "system", "content": .text(prefix)]) }
        switch request.prompt {
        case .text(let text): messages.append(["role": "user", "content": .text(text)])
        case .messages(let given): messages += given.arrayValue ?? []
        }
        return .array(messages)
    }

    private static func text(_ request: PlannedRequest) -> String {
        guard case .text(let text) = request.prompt else {
            preconditionFailure("PromptSource.check refuses messages for this endpoint")
        }
        return (request.sharedPrefix ?? "") + text
    }
}
