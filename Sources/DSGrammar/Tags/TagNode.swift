internal import DSSupport

/// An object of a structural tag, with its place for messages. `null` counts as absent.
struct TagNode {
    let object: JSONObject
    let path: String

    init(_ value: JSONValue, path: String) throws(GrammarError) {
        guard let object = value.objectValue else {
            throw .malformed(what: path, expected: "an object", found: value.typeName)
        }
        self.object = object
        self.path = path
    }

    func place(_ key: String) -> String { path.isEmpty ? key : path + "." + key }

    func value(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    /// What is not known cannot be kept.
    func hasOnly(_ keys: String...) throws(GrammarError) {
        for member in object.members where !member.value.isNull && !keys.contains(member.key.string) {
            throw .unsupported(
                keyword: member.key.string, path: path.isEmpty ? "the structural tag" : path,
                reason: "expected \(keys.joined(separator: ", "))")
        }
    }

    func wrong(_ key: String, expected: String) -> GrammarError {
        .malformed(what: place(key), expected: expected, found: value(key)?.serializedString() ?? "none")
    }

    func string(_ key: String) throws(GrammarError) -> String {
        guard let text = value(key)?.stringValue else { throw wrong(key, expected: "a string") }
        return text
    }

    /// Texts that are not empty.
    func strings(_ key: String) throws(GrammarError) -> [String] {
        guard let value = value(key) else { return [] }
        let texts = value.arrayValue?.compactMap(\.stringValue) ?? []
        guard texts.count == value.arrayValue?.count, texts.allSatisfy({ !$0.isEmpty }) else {
            throw wrong(key, expected: "an array of strings that are not empty")
        }
        return texts
    }

    func bool(_ key: String, default fallback: Bool) throws(GrammarError) -> Bool {
        guard let value = value(key) else { return fallback }
        guard let flag = value.boolValue else { throw wrong(key, expected: "a boolean") }
        return flag
    }

    func integer(_ key: String) throws(GrammarError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.intValue else { throw wrong(key, expected: "an integer") }
        return number
    }

    func node(_ key: String) throws(GrammarError) -> TagNode {
        guard let value = value(key) else { throw wrong(key, expected: "an object") }
        return try TagNode(value, path: place(key))
    }

    /// At least one object.
    func nodes(_ key: String) throws(GrammarError) -> [TagNode] {
        guard let values = value(key)?.arrayValue, !values.isEmpty else {
            throw wrong(key, expected: "an array of at least one object")
        }
        var nodes: [TagNode] = []
        for (index, value) in values.enumerated() { nodes.append(try TagNode(value, path: "\(place(key))[\(index)]")) }
        return nodes
    }

    /// A JSON schema, or its text.
    func schema(_ key: String) throws(GrammarError) -> JSONValue {
        guard let value = value(key) else { throw wrong(key, expected: "a JSON schema") }
        guard let text = value.bytesValue else { return value }
        do {
            return try JSONValue.parse(text)
        } catch {
            throw .malformed(what: place(key), expected: "a JSON schema, or its text", found: error.description)
        }
    }
}
