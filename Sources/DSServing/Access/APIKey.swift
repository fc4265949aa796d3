import Crypto

/// A key that clients show, without the key: only its digest is kept.
package struct APIKey: Sendable, Equatable {
    /// What a key allows.
    package enum Scope: String, Sendable, CaseIterable {
        /// Everything that is not one of the others.
        case inference
        /// `GET /metrics`.
        case metrics
        /// Loading and unloading models, reloading, draining.
        case admin
    }

    /// What one key may use; nil: no limit.
    package struct Limits: Sendable, Equatable {
        package var requestsPerMinute: Int?
        /// Prompt and output tokens.
        package var tokensPerMinute: Int?
        package var concurrentRequests: Int?

        package init(requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, concurrentRequests: Int? = nil) {
            self.requestsPerMinute = requestsPerMinute
            self.tokensPerMinute = tokensPerMinute
            self.concurrentRequests = concurrentRequests
        }
    }

    /// Who holds it: the tenant of its requests.
    package let name: String
    /// SHA-256, 32 bytes.
    package let digest: [UInt8]
    package let scopes: Set<Scope>
    package var limits: Limits

    package init(name: String, digest: [UInt8], scopes: Set<Scope>, limits: Limits = Limits()) {
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.limits = limits
    }

    /// A key that is known in clear.
    package init(name: String, secret: String, scopes: Set<Scope>, limits: Limits = Limits()) {
        self.init(name: name, digest: Self.digest(of: secret), scopes: scopes, limits: limits)
    }

    package static func digest(of secret: String) -> [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }
}
