/// Why a request was refused before it waited.
package enum Refusal: Int, Sendable, CaseIterable {
    /// Too many requests, or too many prompt tokens, wait.
    case requests, tokens
}
