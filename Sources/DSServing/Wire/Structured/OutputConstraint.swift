package import DSSupport

/// What the text of an answer must be, from any of the fields by which clients ask for it.
package enum OutputConstraint: Sendable, Equatable {
    /// Any JSON object.
    case jsonObject
    /// JSON that follows a schema.
    case jsonSchema(JSONValue)
    case regex(String)
    /// One of these texts.
    case choice([String])
    /// A grammar in the form of llama.cpp or xgrammar (GBNF, EBNF).
    case grammar(String)
    /// Tags with structured content, between them mostly free text: vLLM's and xgrammar's structural tags.
    case structuralTag(JSONValue)
}

extension OutputConstraint {
    /// Reads OpenAI's `response_format`, vLLM's `structured_outputs`, older `guided_*` and `structural_tag`, llama-server's `grammar` and
    /// `json_schema`. At most one of them may ask for something.
    package static func requested(_ fields: FieldReader) throws(APIError) -> Requested? {
        let found: Found = try responseFormat(fields) + structuredOutputs(fields) + older(fields)
        guard let first = found.first else { return nil }
        if found.count > 1 {
            throw .invalid(
                "'\(found[1].name)': expected one constraint on the output, found '\(first.name)' as well",
                parameter: found[1].name)
        }
        return Requested(constraint: first.constraint, field: first.name)
    }

    /// A constraint and the field that asked for it.
    package struct Requested: Sendable, Equatable {
        package var constraint: OutputConstraint
        package var field: String
    }

    package typealias Found = [(name: String, constraint: OutputConstraint)]

    private static func responseFormat(_ fields: FieldReader) throws(APIError) -> Found {
        guard let format = try fields.reader("response_format") else { return [] }
        return try self.format(format, name: fields.name("response_format"))
    }

    /// `response_format` of chat completions; `text.format` of responses has the members of `json_schema` flat.
    package static func format(
        _ format: FieldReader, name: String
    ) throws(APIError) -> Found {
        switch try format.requiredString("type") {
        case "text": return []
        case "json_object":
            // llama-server's clients put a schema beside the type.
            return [(name, format.value("schema").map(OutputConstraint.jsonSchema) ?? .jsonObject)]
        case "json_schema":
            let inner = try format.reader("json_schema") ?? format
            _ = try inner.string("name")
            _ = try inner.bool("strict")
            guard let schema = inner.value("schema") else {
                throw .field(inner.name("schema"), expected: "a JSON schema", found: nil)
            }
            return [(name, .jsonSchema(schema))]
        case "structural_tag": return [(name, .structuralTag(.object(format.object)))]
        case "regex": return [(name, .regex(try format.requiredString("pattern")))]
        case "grammar": return [(name, .grammar(try format.requiredString("grammar")))]
        default:
            throw .field(
                format.name("type"), expected: "\"text\", \"json_object\", \"json_schema\" or \"structural_tag\"",
                found: format.value("type"))
        }
    }

    private static func structuredOutputs(_ fields: FieldReader) throws(APIError) -> Found {
        guard let outputs = try fields.reader("structured_outputs") else { return [] }
        var found = try members(outputs, prefix: "")
        if try outputs.bool("json_object") ?? false { found.append((outputs.name("json_object"), .jsonObject)) }
        if let tag = outputs.value("structural_tag") {
            found.append(
                (outputs.name("structural_tag"), .structuralTag(try json(tag, outputs.name("structural_tag")))))
        }
        return found
    }

    private static func older(_ fields: FieldReader) throws(APIError) -> Found {
        var found = try members(fields, prefix: "guided_")
        if let grammar = try fields.string("grammar"), !grammar.isEmpty {
            found.append((fields.name("grammar"), .grammar(grammar)))
        }
        if let tag = fields.value("structural_tag") {
            let name = fields.name("structural_tag")
            found.append((name, .structuralTag(try json(tag, name))))
        }
        if let schema = fields.value("json_schema") { found.append((fields.name("json_schema"), .jsonSchema(schema))) }
        return found
    }

    private static func members(_ fields: FieldReader, prefix: String) throws(APIError) -> Found {
        var found: Found = []
        func name(_ key: String) -> String { fields.name(prefix + key) }
        if let schema = fields.value(prefix + "json") {
            found.append((name("json"), .jsonSchema(try json(schema, name("json")))))
        }
        if let regex = try fields.string(prefix + "regex") { found.append((name("regex"), .regex(regex))) }
        if let list = try fields.array(prefix + "choice") {
            let texts = list.compactMap(\.stringValue)
            guard texts.count == list.count, !texts.isEmpty else {
                throw .field(name("choice"), expected: "an array of strings", found: fields.value(prefix + "choice"))
            }
            found.append((name("choice"), .choice(texts)))
        }
        if let grammar = try fields.string(prefix + "grammar") { found.append((name("grammar"), .grammar(grammar))) }
        return found
    }

    /// A value that clients send as JSON or as its text.
    private static func json(_ value: JSONValue, _ name: String) throws(APIError) -> JSONValue {
        guard let bytes = value.bytesValue else { return value }
        do {
            return try JSONValue.parse(bytes)
        } catch {
            throw .field(name, expected: "JSON, or its text", found: value)
        }
    }
}
