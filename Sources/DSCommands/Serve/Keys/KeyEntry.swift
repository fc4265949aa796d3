import DSServing
import DSSupport

/// A key as a file has it, before it is checked.
struct KeyEntry {
    var name: String
    /// In clear, or `sha256:` and 64 hexadecimal digits.
    var secret: String
    var scopes: [String]?
    var requestsPerMinute = ""
    var tokensPerMinute = ""
    var concurrentRequests = ""

    init(name: String, key: String) {
        self.name = name
        secret = key
    }

    func key(path: String, line: Int) throws(KeyFileError) -> APIKey {
        guard !name.isEmpty else { throw KeyFileError(path, line, "expected a name, found none") }
        guard !secret.isEmpty else { throw KeyFileError(path, line, "'\(name)': expected a key, found none") }
        var granted: Set<APIKey.Scope> = [.inference, .metrics]
        if let scopes {
            granted = []
            for text in scopes {
                let word = text.filter { $0 != " " }
                guard let scope = APIKey.Scope(rawValue: word) else {
                    let known = APIKey.Scope.allCases.map(\.rawValue).joined(separator: ", ")
                    throw KeyFileError(path, line, "'\(name)': expected a scope (\(known)), found '\(word)'")
                }
                granted.insert(scope)
            }
        }
        func limit(_ text: String, _ what: String) throws(KeyFileError) -> Int? {
            if text.isEmpty { return nil }
            guard let number = Int(text), number > 0 else {
                throw KeyFileError(path, line, "'\(name)': expected a number of \(what) above 0, found '\(text)'")
            }
            return number
        }
        let limits = APIKey.Limits(
            requestsPerMinute: try limit(requestsPerMinute, "requests per minute"),
            tokensPerMinute: try limit(tokensPerMinute, "tokens per minute"),
            concurrentRequests: try limit(concurrentRequests, "requests at the same time"))
        guard secret.hasPrefix("sha256:") else {
            return APIKey(name: name, secret: secret, scopes: granted, limits: limits)
        }
        guard let digest = [UInt8](hexadecimal: secret.dropFirst("sha256:".count)), digest.count == 32 else {
            throw KeyFileError(path, line, "'\(name)': expected 64 hexadecimal digits behind 'sha256:'")
        }
        return APIKey(name: name, digest: digest, scopes: granted, limits: limits)
    }
}
