package import DSSupport

/// A member of a JSON object, or a parameter of a path, as `/openapi.json` describes it.
package struct APIField: Sendable {
    package var name: String
    package var schema: JSONValue
    package var note: String
    package var isRequired: Bool

    package init(_ name: String, _ schema: JSONValue, _ note: String, required: Bool = false) {
        self.name = name
        self.schema = schema
        self.note = note
        isRequired = required
    }
}

/// A JSON object of known fields; others are ignored.
package struct APIObject: Sendable {
    package var fields: [APIField]

    package init(_ fields: [APIField]) { self.fields = fields }

    package var schema: JSONValue {
        var properties = JSONObject()
        for field in fields {
            var schema = field.isRequired ? field.schema : APISchema.nullable(field.schema)
            if case .object(var object) = schema, !field.note.isEmpty {
                object["description"] = .text(field.note)
                schema = .object(object)
            }
            properties[field.name] = schema
        }
        var object = JSONObject([("type", "object"), ("properties", .object(properties))])
        let required = fields.filter(\.isRequired).map { JSONValue.text($0.name) }
        if !required.isEmpty { object["required"] = .array(required) }
        return .object(object)
    }
}

/// Short forms of JSON Schema.
package enum APISchema {
    package static let any: JSONValue = [:]
    package static let string: JSONValue = ["type": "string"]
    package static let boolean: JSONValue = ["type": "boolean"]
    package static let object: JSONValue = ["type": "object"]
    package static let integers: JSONValue = ["type": "array", "items": ["type": "integer"]]
    package static let strings: JSONValue = ["type": "array", "items": ["type": "string"]]

    package static func integer(_ range: ClosedRange<Int>? = nil) -> JSONValue {
        guard let range else { return ["type": "integer"] }
        return [
            "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
            "maximum": .integer(Int64(range.upperBound)),
        ]
    }

    package static func number(_ range: ClosedRange<Double>? = nil) -> JSONValue {
        guard let range else { return ["type": "number"] }
        return ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    package static func words(_ values: String...) -> JSONValue {
        ["type": "string", "enum": .array(values.map(JSONValue.text))]
    }

    package static func array(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }

    package static func either(_ schemas: JSONValue...) -> JSONValue { ["anyOf": .array(schemas)] }

    /// `null` means absent everywhere.
    package static func nullable(_ schema: JSONValue) -> JSONValue {
        guard case .object(var object) = schema, !object.isEmpty else { return schema }
        if let choices = object["anyOf"]?.arrayValue {
            object["anyOf"] = .array(choices + [["type": "null"]])
            return .object(object)
        }
        if let values = object["enum"]?.arrayValue { object["enum"] = .array(values + [.null]) }
        if let type = object["type"]?.stringValue { object["type"] = [.text(type), "null"] }
        return .object(object)
    }
}
