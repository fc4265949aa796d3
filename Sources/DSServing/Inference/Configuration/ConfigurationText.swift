import DSSupport

/// Reads a model configuration in the text form of protocol buffers (`config.pbtxt`). Every name is checked against the schema,
/// and errors name the line.
struct ConfigurationText {
    private let schema = ConfigurationSchema.modelConfig
    private var scanner: TextFormatScanner
    private let source: String

    /// Messages nest at most this deep.
    private static let maximumDepth = 32

    static func parse(_ bytes: [UInt8], source: String) throws(InferenceError) -> JSONObject {
        var parser = ConfigurationText(scanner: TextFormatScanner(bytes), source: source)
        do {
            return try parser.message("ModelConfig", until: nil, depth: 0)
        } catch {
            throw .invalid("\(source) line \(error.line): \(error.message)")
        }
    }

    private init(scanner: TextFormatScanner, source: String) {
        self.scanner = scanner
        self.source = source
    }

    private mutating func message(
        _ name: String, until close: UInt8?, depth: Int
    ) throws(TextFormatError) -> JSONObject {
        guard depth < Self.maximumDepth else { throw scanner.error("messages nest deeper than \(Self.maximumDepth)") }
        let fields = schema.messages[name] ?? [:]
        var object = JSONObject()
        while true {
            if let close, try scanner.take(close) { return object }
            if close == nil, try scanner.isAtEnd() { return object }
            let key = try scanner.identifier()
            guard let field = fields[key] else { throw scanner.error("unknown field '\(key)' in \(name)") }
            try read(key, field, into: &object, depth: depth)
            if try !scanner.take(UInt8(ascii: ",")) { _ = try scanner.take(UInt8(ascii: ";")) }
        }
    }

    private mutating func read(
        _ key: String, _ field: ConfigurationSchema.Field, into object: inout JSONObject, depth: Int
    ) throws(TextFormatError) {
        let hasColon = try scanner.take(UInt8(ascii: ":"))
        var isMessage = field.shape == .map
        if case .message = field.kind { isMessage = true }
        guard hasColon || isMessage else { throw scanner.error("expected ':' behind '\(key)'") }
        if field.shape != .single, try scanner.take(UInt8(ascii: "[")) {
            var first = true
            while try !scanner.take(UInt8(ascii: "]")) {
                if !first { try scanner.expect(UInt8(ascii: ",")) }
                first = false
                try add(key, field, into: &object, depth: depth)
            }
            if first, field.shape == .list, object[key] == nil { object[key] = [] }
        } else {
            try add(key, field, into: &object, depth: depth)
        }
    }

    private mutating func add(
        _ key: String, _ field: ConfigurationSchema.Field, into object: inout JSONObject, depth: Int
    ) throws(TextFormatError) {
        switch field.shape {
        case .single:
            guard object[key] == nil else { throw scanner.error("field '\(key)' occurs twice") }
            object[key] = try value(field.kind, key, depth: depth)
        case .list:
            object[key] = .array((object[key]?.arrayValue ?? []) + [try value(field.kind, key, depth: depth)])
        case .map:
            let (name, value) = try mapEntry(field.kind, key, depth: depth)
            var map = object[key]?.objectValue ?? JSONObject()
            guard map.insert(name, value) == nil else {
                throw scanner.error("key '\(name)' of '\(key)' occurs twice")
            }
            object[key] = .object(map)
        }
    }

    private mutating func mapEntry(
        _ kind: ConfigurationSchema.Kind, _ field: String, depth: Int
    ) throws(TextFormatError) -> (JSONString, JSONValue) {
        let close = try scanner.open(field)
        var key: JSONString?
        var entry: JSONValue?
        while try !scanner.take(close) {
            let name = try scanner.identifier()
            let hasColon = try scanner.take(UInt8(ascii: ":"))
            switch name {
            case "key" where key == nil && hasColon: key = JSONString(bytes: try scanner.stringOrNumber())
            case "value" where entry == nil: entry = try value(kind, "\(field).value", depth: depth + 1)
            default: throw scanner.error("expected 'key' and 'value' in '\(field)', found '\(name)'")
            }
            if try !scanner.take(UInt8(ascii: ",")) { _ = try scanner.take(UInt8(ascii: ";")) }
        }
        guard let key else { throw scanner.error("expected 'key' in '\(field)', found none") }
        guard let entry else { throw scanner.error("expected 'value' in '\(field)', found none") }
        return (key, entry)
    }

    private mutating func value(
        _ kind: ConfigurationSchema.Kind, _ key: String, depth: Int
    ) throws(TextFormatError) -> JSONValue {
        switch kind {
        case .message(let name):
            let close = try scanner.open(key)
            return .object(try message(name, until: close, depth: depth + 1))
        case .string, .bytes: return .string(JSONString(bytes: try scanner.string(for: key)))
        case .bool:
            switch try scanner.word(for: key) {
            case "true", "True", "t", "1": return true
            case "false", "False", "f", "0": return false
            case let word: throw wrong(key, kind, word)
            }
        case .float, .double:
            let word = try scanner.word(for: key)
            let digits = word.hasSuffix("f") || word.hasSuffix("F") ? String(word.dropLast()) : word
            guard let number = Double(digits), number.isFinite else { throw wrong(key, kind, word) }
            return .number(number)
        case .integer(let range):
            let word = try scanner.word(for: key)
            guard let number = Self.integer(word), range.contains(number) else { throw wrong(key, kind, word) }
            return .integer(number)
        case .unsigned64:
            let word = try scanner.word(for: key)
            guard let number = Self.integer(word), number >= 0 else { throw wrong(key, kind, word) }
            return .integer(number)
        case .enumeration(let name):
            let word = try scanner.word(for: key)
            guard schema.enumerations[name]?.contains(word) ?? false else { throw wrong(key, kind, word) }
            return .text(word)
        }
    }

    private static func integer(_ word: String) -> Int64? {
        word.hasPrefix("0x") || word.hasPrefix("0X") ? Int64(word.dropFirst(2), radix: 16) : Int64(word)
    }

    private func wrong(_ key: String, _ kind: ConfigurationSchema.Kind, _ found: String) -> TextFormatError {
        scanner.error("field '\(key)': expected \(schema.expectation(kind)), found '\(found)'")
    }
}
