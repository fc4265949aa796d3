package import DSSupport

/// How an answer is judged. The same rules stand in Training/checks.py, which is the oracle of these.
package enum AnswerCheck: Sendable {
    /// The answer's last number equals this one.
    case number(Double)
    /// The answer is this text, apart from surrounding space, a final full stop and case.
    case text(String)
    /// The same of the answer's last line.
    case lastLine(String)
    case contains(String)
    /// The answer contains one of these texts.
    case containsAny([String])
    /// The answer makes exactly this tool call.
    case toolCall(name: String, arguments: JSONValue)
    /// The answer is a query that gives these rows on the database that the script makes.
    case sql(database: String, rows: [[SQLCell]], ordered: Bool)

    init(_ object: JSONObject) throws {
        let kind = try EvaluationItem.text(object, "type")
        switch kind {
        case "number":
            let expected = try EvaluationItem.text(object, "expected")
            guard let number = Double(expected) else {
                throw ItemReason("'check.expected': expected a number as a string, found '\(expected)'")
            }
            self = .number(number)
        case "exact": self = .text(try EvaluationItem.text(object, "expected"))
        case "label": self = .lastLine(try EvaluationItem.text(object, "expected"))
        case "contains": self = .contains(try EvaluationItem.text(object, "expected"))
        case "refusal":
            guard let markers = object["expected"]?.arrayValue?.compactMap(\.stringValue), !markers.isEmpty else {
                throw ItemReason("'check.expected': expected an array of strings")
            }
            self = .containsAny(markers)
        case "json":
            guard let call = object["expected"]?.objectValue, let arguments = call["arguments"] else {
                throw ItemReason("'check.expected': expected {name, arguments}")
            }
            self = .toolCall(name: try EvaluationItem.text(call, "name"), arguments: arguments)
        case "sql":
            guard let rows = object["rows"]?.arrayValue, let ordered = object["ordered"]?.boolValue else {
                throw ItemReason("'check': expected rows and ordered beside the database")
            }
            self = .sql(
                database: try EvaluationItem.text(object, "database"), rows: try rows.map(SQLCell.row), ordered: ordered
            )
        default:
            throw ItemReason(
                "'check.type': expected number, exact, label, contains, refusal, json or sql, found '\(kind)'")
        }
    }

    /// - Parameters:
    ///   - answer: the text after the thinking.
    ///   - calls: the tool calls of the answer, in order: names and JSON texts.
    package func accepts(_ answer: String, calls: [(name: String, arguments: String)] = []) -> Bool {
        let answer = AnswerText.trimmed(answer)
        switch self {
        case .number(let expected): return AnswerText.lastNumber(answer) == expected
        case .text(let expected): return AnswerText.plain(answer) == AnswerText.plain(expected)
        case .lastLine(let expected):
            return AnswerText.plain(AnswerText.lastLine(answer)) == AnswerText.plain(expected)
        case .contains(let expected): return AnswerText.contains(answer, expected)
        case .containsAny(let markers): return markers.contains { AnswerText.contains(answer, $0) }
        case .toolCall(let name, let arguments):
            guard calls.count == 1, calls[0].name == name else { return false }
            guard let found = try? JSONValue.parse(calls[0].arguments) else { return false }
            return AnswerText.equal(found, arguments)
        case .sql(let database, let rows, let ordered):
            guard let found = SQLCheck.run(answer, on: database) else { return false }
            return SQLCheck.agree(found, rows, ordered: ordered)
        }
    }
}

/// The texts inside answers.
enum AnswerText {
    static func trimmed(_ text: String) -> String {
        var part = Substring(text)
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }

    static func plain(_ text: String) -> String {
        var text = trimmed(text)
        while text.hasSuffix(".") || text.hasSuffix("。") { text.removeLast() }
        return trimmed(text).lowercased()
    }

    /// What follows the last line feed.
    static func lastLine(_ text: String) -> String {
        guard let end = text.utf8.lastIndex(of: 0x0A) else { return text }
        return String(text[text.utf8.index(after: end)...])
    }

    static func contains(_ text: String, _ part: String) -> Bool {
        let haystack = Array(text.lowercased().utf8)
        let needle = Array(part.lowercased().utf8)
        guard haystack.count >= needle.count else { return false }
        return (0...haystack.count - needle.count).contains { haystack[$0...].starts(with: needle) }
    }

    /// The last of the ASCII decimal numbers, a minus sign directly before it included.
    static func lastNumber(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        func isDigit(_ index: Int) -> Bool { bytes.indices.contains(index) && (0x30...0x39).contains(bytes[index]) }
        var last: Double?
        var index = 0
        while index < bytes.count {
            let isNegative = bytes[index] == UInt8(ascii: "-") && isDigit(index + 1)
            guard isNegative || isDigit(index) else {
                index += 1
                continue
            }
            var end = index + (isNegative ? 1 : 0)
            while isDigit(end) { end += 1 }
            if end < bytes.count, bytes[end] == UInt8(ascii: "."), isDigit(end + 1) {
                end += 1
                while isDigit(end) { end += 1 }
            }
            last = Double(String(decoding: bytes[index..<end], as: UTF8.self))
            index = end
        }
        return last
    }

    /// Equality of JSON values in which neither the order of members nor 1 against 1.0 matters.
    static func equal(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let a = left.objectValue, let b = right.objectValue {
            return a.count == b.count
                && a.members.allSatisfy { member in b[member.key].map { equal(member.value, $0) } ?? false }
        }
        if let a = left.arrayValue, let b = right.arrayValue {
            return a.count == b.count && zip(a, b).allSatisfy(equal)
        }
        if let a = left.doubleValue, let b = right.doubleValue { return a == b }
        return left == right
    }
}
