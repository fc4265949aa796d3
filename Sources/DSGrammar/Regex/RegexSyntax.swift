/// A regular expression as it was written.
indirect enum RegexSyntax: Hashable, Sendable {
    case empty
    case set(ScalarRanges)
    case sequence([RegexSyntax])
    case either([RegexSyntax])
    case repeated(RegexSyntax, atLeast: Int, atMost: Int?)
    case start
    case end
    case lookahead(RegexSyntax, isNegative: Bool)

    /// Whether an anchor or lookahead lies in it.
    var hasAssertions: Bool {
        switch self {
        case .empty, .set: false
        case .start, .end, .lookahead: true
        case .sequence(let parts), .either(let parts): parts.contains(where: \.hasAssertions)
        case .repeated(let body, _, _): body.hasAssertions
        }
    }
}
