/// Why a tokenizer could not be built or a text not be tokenised.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A field of a tokenizer description has the wrong type or value; an input has it where the path is empty.
    case malformed(path: String, expected: String, found: String)
    /// A component names a type that this package does not have.
    case unsupported(component: String, name: String)
    /// A regular expression uses a construct that cannot become a transition table.
    case unsupportedPattern(String, construct: String)
    case unknownToken(String, neededBy: String)
    case unknownID(Int)
    /// A text of one piece exceeds what the merge tables can index.
    case pieceTooLong(bytes: Int)
    /// The text cannot be tokenised because no token and no unknown token covers a character.
    case uncoveredText(String)
    /// An error in one line (from 1) of a bulk input.
    case line(Int, String)

    public var description: String {
        switch self {
        case .malformed(let path, let expected, let found):
            (path.isEmpty ? "" : "tokenizer field '\(path)': ") + "expected \(expected), found \(found)"
        case .unsupported(let component, let name): "tokenizer \(component) '\(name)' is not supported"
        case .unsupportedPattern(let pattern, let construct): "pattern '\(pattern)': \(construct) is not supported"
        case .unknownToken(let token, let user): "token '\(token)' needed by \(user) is not in the vocabulary"
        case .unknownID(let id): "id \(id) is not in the vocabulary"
        case .pieceTooLong(let bytes): "a piece of \(bytes) bytes is longer than the supported 2147483647"
        case .uncoveredText(let text): "no token covers '\(text)' and the vocabulary has no unknown token"
        case .line(let line, let message): "line \(line): \(message)"
        }
    }
}
