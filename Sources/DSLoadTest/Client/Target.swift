/// The server under test.
package struct Target: Sendable {
    /// Scheme, host and port, and a path before `/v1` if there is one.
    package let base: String
    package var apiKey: String?
    package var headers: [(name: String, value: String)] = []

    /// What clients with one URL per endpoint are given; a base with it would be asked for `…/completions/v1/models`.
    private static let endpoints = ["/chat/completions", "/v1/completions", "/v1/models", "/v1/responses"]

    /// Takes `http://127.0.0.1:8080`, with or without `/` or `/v1` at its end.
    package init(url: String) throws(LoadTestError) {
        let scheme = ["http://", "https://"].first { url.hasPrefix($0) }
        guard let scheme else {
            throw .invalidURL(url, "an address that begins with http:// or https://")
        }
        var base = url[...]
        while base.hasSuffix("/") { base.removeLast() }
        let endpoint = Self.endpoints.first { base.hasSuffix($0) }
        base.removeLast(endpoint?.count ?? 0)
        if base.hasSuffix("/v1") { base.removeLast(3) }
        while base.hasSuffix("/") { base.removeLast() }
        guard base.count > scheme.count, !base.contains("?"), !base.contains("#"), !base.contains(" ") else {
            throw .invalidURL(url, "a host, and no query")
        }
        guard endpoint == nil else {
            throw .invalidURL(url, "an address without an endpoint, '\(base)' or '\(base)/v1'")
        }
        self.base = String(base)
    }
}
