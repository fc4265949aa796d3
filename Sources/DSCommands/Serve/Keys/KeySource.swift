import DSServing
import Foundation

/// Where the server's keys come from.
struct KeySource {
    /// Keys of the command line or environment.
    var keys: [String] = []
    var administratorKeys: [String] = []
    var file: String?
    /// For keys that say nothing of it.
    var concurrentRequests: Int?

    /// Reads all of them.
    func read() throws(KeyFileError) -> [APIKey] {
        let limits = APIKey.Limits(concurrentRequests: concurrentRequests)
        var found = keys.enumerated().map { index, secret in
            APIKey(name: "key-\(index + 1)", secret: secret, scopes: [.inference, .metrics], limits: limits)
        }
        found += administratorKeys.enumerated().map { index, secret in
            APIKey(name: "admin-\(index + 1)", secret: secret, scopes: Set(APIKey.Scope.allCases), limits: limits)
        }
        if let file {
            let listed = try KeyFile(path: file).read()
            // An empty file must not open the server.
            guard !listed.isEmpty else { throw KeyFileError(file, nil, "expected keys, found none") }
            found += listed
        }
        var names: [[UInt8]: String] = [:]
        for index in found.indices {
            if let other = names.updateValue(found[index].name, forKey: found[index].digest) {
                throw KeyFileError(file ?? "--api-key", nil, "'\(other)' and '\(found[index].name)' have the same key")
            }
            found[index].limits.concurrentRequests = found[index].limits.concurrentRequests ?? concurrentRequests
        }
        return found
    }
}

/// What is wrong with a file of keys. Keys are not in the message.
struct KeyFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ line: Int?, _ message: String) {
        description = line.map { "\(path), line \($0): \(message)" } ?? "\(path): \(message)"
    }
}
