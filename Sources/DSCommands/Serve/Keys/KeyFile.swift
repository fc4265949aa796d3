import DSServing
import Foundation
import Yams

/// A file of keys: one per line, or YAML if its name ends in `.yaml` or `.yml`.
struct KeyFile {
    let path: String

    func read() throws(KeyFileError) -> [APIKey] {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw KeyFileError(path, nil, "expected a readable file of keys, found: \(error.localizedDescription)")
        }
        let isYAML = path.hasSuffix(".yaml") || path.hasSuffix(".yml")
        return isYAML ? try YAMLKeys(path: path).keys(in: text) : try lines(text)
    }

    /// `NAME:KEY[:SCOPES[:RPM[:TPM]]]`, or `sha256:HEX` for KEY; `#` begins a comment.
    private func lines(_ text: String) throws(KeyFileError) -> [APIKey] {
        var keys: [APIKey] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.trimmingCharacters(in: .whitespaces)
            if content.isEmpty || content.hasPrefix("#") { continue }
            var fields = content.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            if fields.count > 2, fields[1] == "sha256" { fields[1...2] = ["sha256:" + fields[2]] }
            guard (2...5).contains(fields.count) else {
                throw KeyFileError(
                    path, index + 1, "expected NAME:KEY[:SCOPES[:RPM[:TPM]]], found \(fields.count) parts")
            }
            var entry = KeyEntry(name: fields[0], key: fields[1])
            if fields.count > 2, !fields[2].isEmpty { entry.scopes = fields[2].split(separator: ",").map(String.init) }
            if fields.count > 3 { entry.requestsPerMinute = fields[3] }
            if fields.count > 4 { entry.tokensPerMinute = fields[4] }
            keys.append(try entry.key(path: path, line: index + 1))
        }
        return keys
    }
}

/// `keys:` and a list of mappings with `name`, `key`, `scopes`, `requests-per-minute`, `tokens-per-minute`,
/// `max-requests`.
private struct YAMLKeys {
    let path: String

    func keys(in text: String) throws(KeyFileError) -> [APIKey] {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw KeyFileError(path, nil, "expected YAML, found: \(error)")
        }
        guard let list = root?.mapping?["keys"]?.sequence, root?.mapping?.count == 1 else {
            throw KeyFileError(path, nil, "expected 'keys:' with a list and nothing else")
        }
        var keys: [APIKey] = []
        for node in list {
            let line = node.mark?.line ?? 1
            guard let mapping = node.mapping else { throw KeyFileError(path, line, "expected a mapping") }
            keys.append(try entry(mapping, line).key(path: path, line: line))
        }
        return keys
    }

    private func entry(_ mapping: Node.Mapping, _ line: Int) throws(KeyFileError) -> KeyEntry {
        var entry = KeyEntry(name: "", key: "")
        for (key, value) in mapping {
            let name = (key.scalar?.string ?? "").replacing("_", with: "-")
            let text = value.scalar?.string
            switch (name, text) {
            case ("name", let text?): entry.name = text
            case ("key", let text?): entry.secret = text
            case ("scopes", let text?): entry.scopes = text.split(separator: ",").map { String($0) }
            case ("scopes", nil): entry.scopes = value.sequence?.compactMap { $0.scalar?.string } ?? [""]
            case ("requests-per-minute", let text?): entry.requestsPerMinute = text
            case ("tokens-per-minute", let text?): entry.tokensPerMinute = text
            case ("max-requests", let text?): entry.concurrentRequests = text
            default:
                let known = "name, key, scopes, requests-per-minute, tokens-per-minute, max-requests"
                throw KeyFileError(path, key.mark?.line ?? line, "expected one of \(known), found '\(name)'")
            }
        }
        return entry
    }
}
