/// Names a term of a `TermTable`: a set of texts, and what may follow a text that was read so far.
package struct Term: Hashable, Sendable, Comparable {
    let index: Int32

    /// No text at all.
    package static let nothing = Term(index: 0)
    /// The empty text.
    package static let empty = Term(index: 1)

    package static func < (left: Term, right: Term) -> Bool { left.index < right.index }
}

/// Names a rule that terms refer to, so that they may be recursive.
package struct Rule: Hashable, Sendable {
    let index: Int32
}

/// How a term is built. Equal ones have the same `Term`.
enum TermShape: Hashable, Sendable {
    case nothing
    case empty
    case bytes(ByteSet)
    /// A part of the table's text.
    case literal(start: Int32, end: Int32)
    /// INVARIANT: the first is no `sequence` itself, so that the rest of a text hangs on one chain.
    case sequence(Term, Term)
    case either([Term])
    /// `count` more may follow the ones that must; nil: any number.
    case repeated(Term, atLeast: Int32, more: Int32?)
    /// INVARIANT: the members hold no rules.
    case both([Term])
    case complement(Term)
    case rule(Rule)
    /// A token of the vocabulary, as a whole.
    case token(Int32)
    /// Decimal numbers whose digits, read so far, leave a remainder; the text may end where it is `wanted`.
    case remainder(Int64, divisor: Int64)
    /// What follows is not known: stands for the end of a chain that was cut off.
    case cut

    var memberCount: Int {
        switch self {
        case .either(let members), .both(let members): members.count
        default: 0
        }
    }

    var isBytes: Bool { if case .bytes = self { true } else { false } }
}
