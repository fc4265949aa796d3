import DSSupport

/// Checks a model configuration in JSON against the schema; names in camel case become those of the configuration.
struct ConfigurationJSON {
    let schema = ConfigurationSchema.modelConfig
    /// Named in errors.
    let source: String

    func checked(_ value: JSONValue) throws(InferenceError) -> JSONObject {
        guard let object = value.objectValue else {
            throw .invalid("\(source): expected an object, found \(value.typeName)")
        }
        return try message(object, "ModelConfig", path: "")
    }

    private func message(_ object: JSONObject, _ name: String, path: String) throws(InferenceError) -> JSONObject {
        let fields = schema.messages[name] ?? [:]
        var result = JSONObject()
        for member in object.members {
            let key = Self.snakeCase(member.key.string)
            guard let field = fields[key] else {
                throw .invalid("\(source): unknown field '\(path)\(member.key.string)' in \(name)")
            }
            if member.value.isNull { continue }
            result[key] = try value(member.value, field, path: path + key)
        }
        return result
    }

    private func value(
        _ value: JSONValue, _ field: ConfigurationSchema.Field, path: String
    ) throws(InferenceError) -> JSONValue {
        switch field.shape {
        case .single: return try single(value, field.kind, path)
        case .list:
            guard let elements = value.arrayValue else { throw wrong(path, "an array", value) }
            var list: [JSONValue] = []
            for (index, element) in elements.enumerated() {
                list.append(try single(element, field.kind, "\(path)[\(index)]"))
            }
            return .array(list)
        case .map:
            guard let object = value.objectValue else { throw wrong(path, "an object", value) }
            var map = JSONObject()
            for member in object.members {
                map[member.key] = try single(member.value, field.kind, "\(path).\(member.key.string)")
            }
            return .object(map)
        }
    }

    private func single(
        _ value: JSONValue, _ kind: ConfigurationSchema.Kind, _ path: String
    ) throws(InferenceError) -> JSONValue {
        switch kind {
        case .string where value.stringValue != nil, .bool where value.boolValue != nil,
            .float where value.doubleValue != nil, .double where value.doubleValue != nil:
            return value
        case .integer(let range):
            // JSON made from protocol buffers has 64-bit integers as strings.
            let number = value.intValue.map(Int64.init) ?? value.stringValue.flatMap { Int64($0) }
            if let number, range.contains(number) { return .integer(number) }
        case .unsigned64:
            let number = value.intValue.map(Int64.init) ?? value.stringValue.flatMap { Int64($0) }
            if let number, number >= 0 { return .integer(number) }
        case .enumeration(let name):
            if let text = value.stringValue, schema.enumerations[name]?.contains(text) ?? false { return value }
        case .message(let name):
            if let object = value.objectValue { return .object(try message(object, name, path: path + ".")) }
        default: break
        }
        throw wrong(path, schema.expectation(kind), value)
    }

    private func wrong(_ path: String, _ expected: String, _ found: JSONValue) -> InferenceError {
        .invalid(
            "\(source): field '\(path)': expected \(expected), found \(found.typeName) \(found.serializedString())")
    }

    private static func snakeCase(_ name: String) -> String {
        var result = ""
        for character in name.unicodeScalars {
            if ("A"..."Z").contains(character) {
                result += "_" + character.properties.lowercaseMapping
            } else {
                result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
