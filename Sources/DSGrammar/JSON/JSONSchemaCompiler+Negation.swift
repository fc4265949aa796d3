internal import DSSupport

/// Schemas that together admit just what a schema does not: one alternative per keyword that may fail.
extension JSONSchemaCompiler {
    mutating func negations(of schema: JSONValue, _ path: [String]) throws(GrammarError) -> [JSONValue] {
        if case .bool(let value) = schema { return value ? [] : [true] }
        guard let object = schema.objectValue else { throw Self.wrong(path, "object or boolean", schema) }
        var result: [JSONValue] = []
        for member in object.members {
            try table.work.charge(8)
            let keyword = member.key.string
            guard let negation = try negation(keyword, member.value, object, path) else {
                if Self.annotations.contains(keyword) || keyword.hasPrefix("x-") { continue }
                throw .unsupported(
                    keyword: "not", path: Self.place(path), reason: "the negation of '\(keyword.prefix(60))'")
            }
            result += negation
        }
        return result
    }

    private static let annotations: Set<String> = [
        "title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly", "$schema",
        "$defs", "definitions", "then", "else",
    ]

    /// Nil: cannot be said.
    private mutating func negation(
        _ keyword: String, _ value: JSONValue, _ object: JSONObject, _ path: [String]
    ) throws(GrammarError) -> [JSONValue]? {
        func count(_ offset: Int) -> JSONValue? { value.intValue.map { .integer(Int64($0 + offset)) } }
        func of(_ type: JSONValue, _ keyword: String, _ value: JSONValue?) -> [JSONValue]? {
            value.map { [.object(JSONObject([(JSONString("type"), type), (JSONString(keyword), $0)]))] }
        }
        switch keyword {
        case "type": return Self.otherTypes(value)
        case "const": return [["\u{1}excluded": [value]]]
        case "enum": return [["\u{1}excluded": value]]
        case "required":
            return value.arrayValue?.map { ["type": "object", "\u{1}forbidden": [$0]] }
        case "minLength":
            return count(-1).map { $0.intValue ?? 0 < 0 } == true ? [] : of("string", "maxLength", count(-1))
        case "maxLength": return of("string", "minLength", count(1))
        case "minItems": return count(-1).map { $0.intValue ?? 0 < 0 } == true ? [] : of("array", "maxItems", count(-1))
        case "maxItems": return of("array", "minItems", count(1))
        case "pattern": return of("string", "\u{1}antipattern", value)
        case "minimum":
            return object["exclusiveMinimum"]?.boolValue == nil ? of("number", "exclusiveMaximum", value) : nil
        case "maximum":
            return object["exclusiveMaximum"]?.boolValue == nil ? of("number", "exclusiveMinimum", value) : nil
        case "exclusiveMinimum": return of("number", "maximum", value)
        case "exclusiveMaximum": return of("number", "minimum", value)
        case "not": return [value]
        case "anyOf":
            let alternatives = try Self.list(value, path)
            return [["allOf": .array(alternatives.map { ["not": $0] })]]
        case "allOf":
            return try Self.list(value, path).map { ["not": $0] }
        case "$ref":
            guard let reference = value.stringValue else { return nil }
            return [["not": try document.resolve(reference)]]
        case "properties":
            return value.objectValue?.members.map { member in
                let failing: JSONValue = ["not": member.value]
                let properties = JSONValue.object(JSONObject([(member.key, failing)]))
                return ["type": "object", "required": [.string(member.key)], "properties": properties]
            }
        default: return nil
        }
    }

    private static func otherTypes(_ value: JSONValue) -> [JSONValue]? {
        var types = JSONTypes.all
        for name in value.arrayValue ?? [value] {
            // Numbers that are not whole have no schema.
            guard let text = name.stringValue, text != "integer", let type = JSONTypes(name: text) else { return nil }
            types.subtract(type)
        }
        let names: [(JSONTypes, JSONValue)] = [
            (.null, "null"), (.boolean, "boolean"), (.number, "number"), (.string, "string"), (.array, "array"),
            (.object, "object"),
        ]
        return [["type": .array(names.filter { types.contains($0.0) }.map(\.1))]]
    }
}
