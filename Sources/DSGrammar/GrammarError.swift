/// Why a grammar was refused, or a text could not be matched against it.
package enum GrammarError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A keyword that cannot be enforced. Never ignored: what is generated would not be valid.
    case unsupported(keyword: String, path: String, reason: String)
    /// A schema, pattern or grammar that says something that its language does not allow.
    case malformed(what: String, expected: String, found: String)
    /// No text matches, so nothing could be generated.
    case matchesNothing(what: String)
    /// A size limit was reached.
    case tooLarge(what: String, limit: Int)

    /// The same in a part of what was asked for.
    func inside(_ place: String) -> GrammarError {
        switch self {
        case .unsupported(let keyword, let path, let reason):
            .unsupported(keyword: keyword, path: "\(path) of \(place)", reason: reason)
        case .malformed(let what, let expected, let found):
            .malformed(what: "\(what) of \(place)", expected: expected, found: found)
        case .matchesNothing(let what): .matchesNothing(what: "\(what) of \(place)")
        case .tooLarge(let what, let limit): .tooLarge(what: "\(what), in \(place)", limit: limit)
        }
    }

    package var description: String {
        switch self {
        case .unsupported(let keyword, let path, let reason): "'\(keyword)' at \(path) is not supported: \(reason)"
        case .malformed(let what, let expected, let found): "\(what): expected \(expected), found \(found)"
        case .matchesNothing(let what): "\(what): expected a grammar that some text matches, found one that none does"
        case .tooLarge(let what, let limit): "\(what): expected at most \(limit), found more"
        }
    }
}
