/// The server under test.
package struct Target: Sendable {
    /// Scheme, host and port, and a path before `/v1` if there is one.
    package let base: String
    package var apiKey: String?
    package var headers: [(name: String, value: String)] = []

    /// Takes `http://127.0.0.1:8080`, with or without `/` or `/v1` at its end.
    package init(url: String) throws(LoadTestError) {
        let scheme = ["http://", "https://"].first { url.hasPrefix($0) }
        guard let scheme else {
            throw .invalidURL(url, "an address that begins with http:// or https://")
        }
        var base = url[...]
        while base.hasSuffix("/") { base.removeLast() }
        if base.hasSuffix("/v1") { base.removeLast(3) }
        while base.hasSuffix("/") { base.removeLast() }
        guard base.count > scheme.count, !base.contains("?"), !base.contains("#"), !base.contains(" ") else {
            throw .invalidURL(url, "a host, and no query")
        }
        self.base = String(base)
    }
}
