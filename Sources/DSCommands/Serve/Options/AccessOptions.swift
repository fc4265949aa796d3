import ArgumentParser
import DSServing

/// Who may use the server. Without any key everybody who reaches it may.
struct AccessOptions: ParsableArguments {
    @Option(help: "A key that clients must show. Repeatable.")
    var apiKey: [String] = []
    @Option(help: "A key that may also administrate: load and unload models, reload, drain. Repeatable.")
    var adminApiKey: [String] = []
    @Option(
        help: "Keys with names, scopes and limits: one NAME:KEY[:SCOPES[:RPM[:TPM]]] per line, or YAML (.yaml, .yml).",
        completion: .file())
    var apiKeyFile: String?
    @Option(help: "Requests that one key may have running at the same time (default: no limit).")
    var maxRequestsPerKey: Int?
    @Flag(help: "Answer /metrics without a key.")
    var publicMetrics = false

    func source() throws -> KeySource {
        try Limits.check(maxRequestsPerKey, 1...Limits.sequences, "--max-requests-per-key")
        for (option, keys) in [("--api-key", apiKey), ("--admin-api-key", adminApiKey)] where keys.contains("") {
            throw ValidationError("\(option): expected a key, found an empty text")
        }
        return KeySource(
            keys: apiKey, administratorKeys: adminApiKey, file: apiKeyFile.map(ModelPath.expanded),
            concurrentRequests: maxRequestsPerKey)
    }
}
