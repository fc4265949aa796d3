import DSSupport

/// Reads prompts from a file's bytes: a JSON object per line, or one JSON array of such objects. An object has `prompt`,
/// `messages`, or ShareGPT's `conversations` (its first turn of `human` or `user` is the prompt), and may have `max_tokens`.
package enum DatasetReader {
    package static func requests(in bytes: [UInt8], path: String) throws(LoadTestError) -> [PlannedRequest] {
        let first = bytes.first { !$0.isSpace }
        let requests =
            first == UInt8(ascii: "[") ? try array(bytes, path: path) : try lines(bytes, path: path)
        guard !requests.isEmpty else { throw .dataset(path, line: nil, "expected a request, found none") }
        return requests
    }

    private static func array(_ bytes: [UInt8], path: String) throws(LoadTestError) -> [PlannedRequest] {
        var requests: [PlannedRequest] = []
        for (index, item) in (try parse(bytes, path: path, line: nil).arrayValue ?? []).enumerated() {
            requests.append(try request(item, path: "\(path)[\(index)]", line: nil))
        }
        return requests
    }

    private static func lines(_ bytes: [UInt8], path: String) throws(LoadTestError) -> [PlannedRequest] {
        var requests: [PlannedRequest] = []
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy(\.isSpace) {
            let item = try parse(Array(line), path: path, line: index + 1)
            requests.append(try request(item, path: path, line: index + 1))
        }
        return requests
    }

    private static func parse(_ bytes: [UInt8], path: String, line: Int?) throws(LoadTestError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue.parse(bytes)
        } catch {
            throw .dataset(path, line: line, error.description)
        }
    }

    private static func request(
        _ item: JSONValue, path: String, line: Int?
    ) throws(LoadTestError) -> PlannedRequest {
        var maxTokens: Int?
        if let value = item["max_tokens"], !value.isNull {
            guard let count = value.intValue, count > 0 else {
                throw .dataset(path, line: line, "'max_tokens': expected an integer above 0, found \(value.typeName)")
            }
            maxTokens = count
        }
        if let text = item["prompt"]?.stringValue {
            return PlannedRequest(prompt: .text(text), maxTokens: maxTokens)
        }
        if let messages = item["messages"], messages.arrayValue?.isEmpty == false {
            return PlannedRequest(prompt: .messages(messages), maxTokens: maxTokens)
        }
        if let turns = item["conversations"]?.arrayValue {
            for turn in turns where ["human", "user"].contains(turn["from"]?.stringValue) {
                if let text = turn["value"]?.stringValue {
                    return PlannedRequest(prompt: .text(text), maxTokens: maxTokens)
                }
            }
        }
        throw .dataset(
            path, line: line,
            "expected 'prompt' (text), 'messages' (array) or 'conversations' with a human turn, found "
                + (item.objectValue.map { "the keys \($0.keys.map(\.string))" } ?? item.typeName))
    }
}

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
