package import HTTPTypes

/// The key that a request shows.
package enum Credentials {
    /// `authorization: Bearer KEY`, as OpenAI's clients send it, or `x-api-key: KEY`, as Anthropic's do.
    package static func secret(in headers: HTTPFields) -> String? {
        if let value = headers[.authorization] {
            let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            if parts.count == 2, parts[0].lowercased() == "bearer" { return String(parts[1]) }
        }
        return HTTPField.Name("x-api-key").flatMap { headers[$0] }
    }
}
