package import DSSupport

/// Reads the members of a request's JSON object; a value of the wrong type is an error that names the field, what was
/// expected and what was found. `null` means absent, and unknown members are ignored, as clients of these APIs rely on.
package struct FieldReader {
    package let object: JSONObject
    /// Prefix of the names in errors, such as `messages[2].`.
    let path: String

    package init(_ object: JSONObject, path: String = "") {
        self.object = object
        self.path = path
    }

    /// Reads a body.
    /// - Parameter name: what errors call the object.
    package init(body: [UInt8], name: String = "The body") throws(APIError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(body)
        } catch {
            throw .invalid("\(name) is not valid JSON: \(error.description)")
        }
        guard let object = value.objectValue else {
            throw .invalid("\(name): expected a JSON object, found \(value.typeName)")
        }
        self.init(object)
    }

    package func name(_ key: String) -> String { path + key }

    package func value(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    package func string(_ key: String) throws(APIError) -> String? {
        try read(key, "a string") { $0.stringValue }
    }

    package func requiredString(_ key: String) throws(APIError) -> String {
        guard let text = try string(key) else { throw .field(name(key), expected: "a string", found: nil) }
        return text
    }

    package func bool(_ key: String) throws(APIError) -> Bool? {
        try read(key, "a boolean") { $0.boolValue }
    }

    package func number(_ key: String) throws(APIError) -> Double? {
        try read(key, "a number") { $0.doubleValue }
    }

    package func integer(_ key: String) throws(APIError) -> Int? {
        try read(key, "an integer") { $0.intValue }
    }

    package func array(_ key: String) throws(APIError) -> [JSONValue]? {
        try read(key, "an array") { $0.arrayValue }
    }

    package func reader(_ key: String) throws(APIError) -> FieldReader? {
        guard let object = try read(key, "an object", { $0.objectValue }) else { return nil }
        return FieldReader(object, path: name(key) + ".")
    }

    /// A string, or an array of at most `limit` strings.
    package func strings(_ key: String, limit: Int) throws(APIError) -> [String] {
        guard let value = value(key) else { return [] }
        if let text = value.stringValue { return [text] }
        let texts = value.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == value.arrayValue?.count, texts.count <= limit else {
            throw .field(name(key), expected: "a string or an array of at most \(limit) strings", found: value)
        }
        return texts
    }

    private func read<Value>(
        _ key: String, _ expected: String, _ convert: (JSONValue) -> Value?
    ) throws(APIError) -> Value? {
        guard let value = value(key) else { return nil }
        guard let converted = convert(value) else { throw .field(name(key), expected: expected, found: value) }
        return converted
    }
}
