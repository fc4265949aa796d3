package import DSSupport
package import HTTPTypes

/// One method of one path, as `/openapi.json` describes it.
package struct APIOperation: Sendable {
    package var method: HTTPRequest.Method
    /// Parameters in braces, as the router writes them: `/v1/models/{name}`.
    package var path: String
    /// The group of operations that the reader finds it in.
    package var tag: String
    package var summary: String
    /// Fields of the JSON body; `nil`: no body.
    package var body: APIObject?
    /// Parameters of the path, with an example of each.
    package var pathParameters: [APIField] = []
    package var queryParameters: [APIField] = []
    package var headerParameters: [APIField] = []
    /// The body may be left out.
    package var bodyIsOptional = false
    /// Content types of bodies that are no JSON.
    package var otherBodies: [String] = []
    /// Content types of success; none: the answer has no body.
    package var answers: [String]
    /// Statuses beside 200 that a caller has to expect.
    package var failures: [Int] = []

    package init(
        _ method: HTTPRequest.Method, _ path: String, tag: String, _ summary: String, body: APIObject? = nil,
        pathParameters: [APIField] = [], queryParameters: [APIField] = [], answers: [String] = ["application/json"],
        failures: [Int] = []
    ) {
        self.method = method
        self.path = path
        self.tag = tag
        self.summary = summary
        self.body = body
        self.pathParameters = pathParameters
        self.queryParameters = queryParameters
        self.answers = answers
        self.failures = failures
    }

    /// The operation object of OpenAPI 3.1.
    package var json: JSONValue {
        var object = JSONObject([
            ("tags", [.text(tag)]), ("summary", .text(summary)), ("operationId", .text(identifier)),
        ])
        let parameters =
            pathParameters.map { parameter($0, in: "path") } + queryParameters.map { parameter($0, in: "query") }
            + headerParameters.map { parameter($0, in: "header") }
        if !parameters.isEmpty { object["parameters"] = .array(parameters) }
        if let body {
            var content = JSONObject([("application/json", ["schema": body.schema])])
            for type in otherBodies { content[type] = ["schema": [:]] }
            object["requestBody"] = ["required": .bool(!bodyIsOptional), "content": .object(content)]
        }
        var responses = JSONObject()
        var content = JSONObject()
        for type in answers { content[type] = ["schema": [:]] }
        var success = JSONObject([("description", "success")])
        if !answers.isEmpty { success["content"] = .object(content) }
        responses["200"] = .object(success)
        for status in failures {
            responses[String(status)] = ["description": "an error that says what was expected and what was found"]
        }
        object["responses"] = .object(responses)
        return .object(object)
    }

    private var identifier: String {
        let words = path.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        return ([method.rawValue.lowercased()] + words).joined(separator: "_")
    }

    private func parameter(_ field: APIField, in place: String) -> JSONValue {
        [
            "name": .text(field.name), "in": .text(place), "required": .bool(place == "path" || field.isRequired),
            "schema": field.schema, "description": .text(field.note),
        ]
    }
}
