package import DSEngine
package import DSSupport
package import HTTPTypes
package import Hummingbird

/// An error as OpenAI's clients read it: an HTTP status and the body `{"error": {message, type, param, code}}`.
package struct APIError: Error, Equatable {
    package var status: HTTPResponse.Status
    package var message: String
    /// `invalid_request_error`, `not_found_error`, `rate_limit_error`, `server_error`, …
    package var type: String
    /// The request's field at fault.
    package var parameter: String?
    package var code: String?
    /// Seconds after which the same request may succeed; the clients then try again by themselves.
    package var retryAfter: Int?
    /// Further headers of the answer.
    package var headers = HTTPFields()

    package static func invalid(_ message: String, parameter: String? = nil, code: String? = nil) -> APIError {
        APIError(
            status: .badRequest, message: message, type: "invalid_request_error", parameter: parameter, code: code)
    }

    package static func field(_ path: String, expected: String, found: JSONValue?) -> APIError {
        invalid("'\(path)': expected \(expected), found \(found.map(describe) ?? "nothing")", parameter: path)
    }

    package static func modelNotFound(_ name: String, available: [String]) -> APIError {
        let others = available.isEmpty ? "No model is loaded" : "Available: \(available.joined(separator: ", "))"
        return APIError(
            status: .notFound, message: "The model `\(name)` does not exist, or is not loaded. \(others).",
            type: "not_found_error", parameter: "model", code: "model_not_found")
    }

    /// The wire form of what the engine throws.
    /// - Parameter promptField: the field that holds the prompt in this kind of request.
    package init(_ error: EngineError, promptField: String = "messages") {
        switch error {
        case .invalidParameter(let name, let expected, let found):
            let field = name == "prompt" ? promptField : name
            self = .invalid("'\(field)': expected \(expected), found \(found)", parameter: field)
        case .invalidConstraint(let field, let reason):
            self = .invalid("'\(field)': \(reason)", parameter: field)
        case .contextExceeded:
            self = .invalid(error.description, parameter: promptField, code: "context_length_exceeded")
        case .promptFailure(let reason):
            self = .invalid(reason, parameter: promptField)
        case .queueFull, .queueTokensExceeded:
            self.init(
                status: .serviceUnavailable, message: error.description, type: "overloaded_error",
                code: "queue_full", retryAfter: 1)
        case .queueTimeout:
            self.init(
                status: .serviceUnavailable, message: error.description, type: "overloaded_error",
                code: "queue_timeout", retryAfter: 1)
        case .deadlineExceeded:
            self.init(
                status: .gatewayTimeout, message: error.description, type: "timeout_error",
                code: "deadline_exceeded")
        case .shutDown:
            self.init(
                status: .serviceUnavailable, message: error.description, type: "server_error", code: "shut_down",
                retryAfter: 5)
        case .modelFailure:
            self.init(
                status: .internalServerError, message: error.description, type: "server_error", code: "model_failure")
        }
    }

    package init(
        status: HTTPResponse.Status, message: String, type: String, parameter: String? = nil, code: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.parameter = parameter
        self.code = code
        self.retryAfter = retryAfter
    }

    /// OpenAI's body.
    package var body: JSONValue { body(in: .openAI) }

    package func body(in style: ErrorStyle) -> JSONValue {
        switch style {
        case .openAI:
            [
                "error": [
                    "message": .text(message), "type": .text(type), "param": parameter.map(JSONValue.text) ?? .null,
                    "code": code.map(JSONValue.text) ?? .null,
                ]
            ]
        case .anthropic:
            ["type": "error", "error": ["type": .text(Self.anthropicType(status)), "message": .text(message)]]
        case .openInference: ["error": .text(message)]
        }
    }

    /// Anthropic's clients know errors by these names.
    private static func anthropicType(_ status: HTTPResponse.Status) -> String {
        switch status.code {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 503, 529: "overloaded_error"
        case 400..<500: "invalid_request_error"
        default: "api_error"
        }
    }

    private static func describe(_ value: JSONValue) -> String {
        let text = value.serializedString()
        return text.utf8.count <= 80 ? "\(value.typeName) \(text)" : value.typeName
    }
}

extension APIError: HTTPResponseError {
    package func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = Response.json(body(in: ErrorStyle(path: request.uri.path)), status: status)
        for field in headers { response.headers[field.name] = field.value }
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        // The clients try 5xx again by default; one that fails the same way each time must not be.
        if status == .internalServerError { response.headers[.shouldRetry] = "false" }
        return response
    }
}

extension HTTPField.Name {
    /// Obeyed by OpenAI's clients before their own rules.
    static let shouldRetry = HTTPField.Name("x-should-retry")!
    static let requestID = HTTPField.Name("x-request-id")!
}

extension Response {
    /// A JSON body with its content type.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialized())))
    }
}
