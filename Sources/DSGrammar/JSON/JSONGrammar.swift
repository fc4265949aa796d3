internal import DSSupport

/// Terms of JSON texts. White space is bounded, and so are numbers: up to 64 digits on each side of the point and two in
/// the exponent, so that each is a finite double.
struct JSONGrammar {
    let table: TermTable
    let comma: Term
    let colon: Term
    /// Between brackets and what is in them.
    let gap: Term
    /// Text of `comma` and `colon` in values that are written out.
    let format: JSONFormat
    private var anyValueRule: Rule?
    static let maximumDigits = 64

    init(_ table: TermTable, whitespace: JSONWhitespace) {
        switch whitespace {
        case .none:
            gap = .empty
            comma = table.literal(",")
            colon = table.literal(":")
            format = .compact
        case .optionalSpace:
            gap = .empty
            let space = table.optional(table.literal(" "))
            comma = table.sequence(table.literal(","), space)
            colon = table.sequence(table.literal(":"), space)
            format = .python
        case .upTo(let count):
            let space = table.bytes(ByteSet([0x20, 0x0A]))
            gap = table.repeated(space, 0, max(0, count))
            comma = table.sequence([gap, table.literal(","), gap])
            colon = table.sequence([gap, table.literal(":"), gap])
            format = .python
        }
        self.table = table
    }

    // MARK: Strings

    /// One character inside a string, in any of the ways that JSON can write it.
    func character() -> Term {
        let plain = ScalarRanges.all.subtracting(ScalarRanges([0...0x1F, 0x22...0x22, 0x5C...0x5C]))
        let builder = RegexTermBuilder(table, encoding: .plain)
        let raw = builder.set(plain)
        let digit = table.bytes(ByteSet("0123456789abcdefABCDEF".utf8))
        let backslash = table.literal("\\")
        // A unit that is no surrogate, or a pair of them.
        let below = table.sequence([table.bytes(ByteSet("0123456789abcefABCEF".utf8)), digit, digit, digit])
        let dBelow = table.sequence([
            table.bytes(ByteSet("dD".utf8)), table.bytes(ByteSet("01234567".utf8)), digit, digit,
        ])
        let high = table.sequence([
            table.bytes(ByteSet("dD".utf8)), table.bytes(ByteSet("89abAB".utf8)), digit, digit,
        ])
        let low = table.sequence([
            table.bytes(ByteSet("dD".utf8)), table.bytes(ByteSet("cdefCDEF".utf8)), digit, digit,
        ])
        let mark = table.literal("\\u")
        return table.either([
            raw, table.sequence(backslash, table.bytes(ByteSet("\"\\/bfnrt".utf8))),
            table.sequence(mark, table.either([below, dBelow])), table.sequence([mark, high, mark, low]),
        ])
    }

    func string(_ atLeast: Int = 0, _ atMost: Int? = nil) -> Term {
        let body = table.repeated(character(), atLeast, atMost)
        return quoted(body)
    }

    func quoted(_ body: Term) -> Term { table.sequence([table.literal("\""), body, table.literal("\"")]) }

    /// A value as it is written.
    func literal(_ value: JSONValue) -> Term { table.addLiteral(value.serialized(format)) }

    // MARK: Lists

    /// Members with commas between them, in brackets.
    func list(_ open: String, _ members: Term, _ close: String) -> Term {
        table.sequence([table.literal(open), gap, members, gap, table.literal(close)])
    }

    /// From `atLeast` to `atMost` members with commas between them; nothing for none.
    func separated(_ member: Term, _ atLeast: Int, _ atMost: Int?) -> Term {
        if atMost == 0 || member == .nothing { return atLeast == 0 ? .empty : .nothing }
        let more = table.repeated(
            table.sequence(comma, member), max(0, atLeast - 1), atMost.map { $0 - 1 })
        let some = table.sequence(member, more)
        return atLeast == 0 ? table.optional(some) : some
    }

    // MARK: Any value

    mutating func anyValue() -> Term {
        if let anyValueRule { return table.reference(anyValueRule) }
        let rule = table.makeRule("any JSON value")
        anyValueRule = rule
        let members = [
            table.anyLiteral(["null", "true", "false"].map { Array($0.utf8) }), string(), number(), anyObject(),
            anyArray(),
        ]
        table.define(rule, table.either(members))
        return table.reference(rule)
    }

    mutating func anyObject() -> Term {
        let member = table.sequence([string(), colon, anyValue()])
        return list("{", separated(member, 0, nil), "}")
    }

    mutating func anyArray() -> Term {
        let value = anyValue()
        return list("[", separated(value, 0, nil), "]")
    }

    // MARK: Numbers

    func digits(_ atLeast: Int, _ atMost: Int) -> Term {
        table.repeated(table.bytes(ByteSet(0x30...0x39)), atLeast, atMost)
    }

    func natural() -> Term {
        let first = table.bytes(ByteSet(0x31...0x39))
        let positive = table.sequence(first, digits(0, Self.maximumDigits - 1))
        return table.either(table.literal("0"), positive)
    }

    func integer() -> Term {
        let first = table.bytes(ByteSet(0x31...0x39))
        let positive = table.sequence(first, digits(0, Self.maximumDigits - 1))
        let minus = table.optional(table.literal("-"))
        return table.either(table.literal("0"), table.sequence(minus, positive))
    }

    func number() -> Term {
        let fraction = table.optional(table.sequence(table.literal("."), digits(1, Self.maximumDigits)))
        let mark = table.bytes(ByteSet("eE".utf8))
        let sign = table.optional(table.bytes(ByteSet("+-".utf8)))
        let exponent = table.optional(table.sequence([mark, sign, digits(1, 2)]))
        return table.sequence([table.optional(table.literal("-")), natural(), fraction, exponent])
    }
}
