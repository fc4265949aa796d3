/// Builds the terms of regular expressions: over plain text, or over the inside of JSON strings.
struct RegexTermBuilder {
    enum Encoding {
        /// UTF-8.
        case plain
        /// UTF-8, where quotes, backslashes and control characters are written in the one shortest way that JSON has.
        case json
    }

    private(set) var table: TermTable
    private let encoding: Encoding

    init(_ table: TermTable, encoding: Encoding) {
        self.table = table
        self.encoding = encoding
    }

    /// Any text.
    func anything() -> Term { table.repeated(set(.all), 0, nil) }

    /// Texts that the expression matches from start to end.
    func whole(_ syntax: RegexSyntax) throws(GrammarError) -> Term {
        try branches(syntax, isSearch: false)
    }

    /// Texts in which the expression matches somewhere.
    func search(_ syntax: RegexSyntax) throws(GrammarError) -> Term {
        try branches(syntax, isSearch: true)
    }

    // MARK: Assertions

    private func branches(_ syntax: RegexSyntax, isSearch: Bool) throws(GrammarError) -> Term {
        var results: [Term] = []
        for branch in try expand(syntax) { results.append(try self.branch(branch[...], isSearch: isSearch)) }
        return table.either(results)
    }

    /// One alternative: anchors at its ends, lookaheads anywhere between its parts.
    private func branch(_ parts: ArraySlice<RegexSyntax>, isSearch: Bool) throws(GrammarError) -> Term {
        var parts = parts
        var isOpenAtStart = isSearch
        var isOpenAtEnd = isSearch
        while parts.first == .start {
            isOpenAtStart = false
            parts.removeFirst()
        }
        while parts.last == .end {
            isOpenAtEnd = false
            parts.removeLast()
        }
        var result = isOpenAtEnd ? anything() : .empty
        for part in parts.reversed() {
            guard case .lookahead(let body, let isNegative) = part else {
                result = table.sequence(try plain(part), result)
                continue
            }
            // Whatever follows, to the end of the text, begins with the body, or does not.
            var heads: [Term] = []
            for branch in try expand(body) {
                let isAnchored = branch.last == .end
                let head = try self.branch(isAnchored ? branch.dropLast() : branch[...], isSearch: false)
                heads.append(isAnchored ? head : table.sequence(head, anything()))
            }
            let head = table.either(heads)
            result = table.both([isNegative ? table.complement(head) : head, result])
        }
        return isOpenAtStart ? table.sequence(anything(), result) : result
    }

    /// Alternatives whose assertions are in their outermost sequences.
    private func expand(_ syntax: RegexSyntax) throws(GrammarError) -> [[RegexSyntax]] {
        switch syntax {
        case .either(let branches) where syntax.hasAssertions:
            var result: [[RegexSyntax]] = []
            for branch in branches { result += try expand(branch) }
            return result
        case .sequence(let parts) where syntax.hasAssertions:
            var result: [[RegexSyntax]] = [[]]
            for part in parts {
                let ways = part.hasAssertions ? try expand(part) : [[part]]
                guard result.count * ways.count <= 256 else {
                    throw .tooLarge(what: "alternatives of a pattern with anchors", limit: 256)
                }
                try table.work.charge(result.count * ways.reduce(1) { $0 + $1.count })
                if ways.count == 1 {
                    // In place: copies of all that came before would cost the pattern's square.
                    for index in result.indices { result[index] += ways[0] }
                } else {
                    try table.work.charge(result.reduce(0) { $0 + $1.count } * ways.count)
                    result = result.flatMap { before in ways.map { before + $0 } }
                }
            }
            return result
        case .empty: return [[]]
        default: return [[syntax]]
        }
    }

    // MARK: Plain parts

    private func plain(_ syntax: RegexSyntax) throws(GrammarError) -> Term {
        switch syntax {
        case .empty: return .empty
        case .set(let set): return self.set(set)
        case .sequence(let parts):
            var terms: [Term] = []
            for part in parts { terms.append(try plain(part)) }
            return table.sequence(terms)
        case .either(let parts):
            var terms: [Term] = []
            for part in parts { terms.append(try plain(part)) }
            return table.either(terms)
        case .repeated(let body, let atLeast, let atMost): return table.repeated(try plain(body), atLeast, atMost)
        case .start, .end:
            throw .unsupported(keyword: "pattern", path: "an anchor", reason: "inside a text it matches nothing")
        case .lookahead:
            throw .unsupported(keyword: "pattern", path: "a lookahead", reason: "inside a group")
        }
    }

    /// One character of a set.
    func set(_ set: ScalarRanges) -> Term {
        table.work.spend(20 * set.ranges.count)
        guard encoding == .json else { return utf8(set) }
        let escaped = set.intersection(Self.needsEscape)
        var members = [utf8(set.subtracting(Self.needsEscape))]
        let texts = escaped.ranges.flatMap { range in range.map { Self.escape($0) } }
        if !texts.isEmpty { members.append(table.anyLiteral(texts)) }
        return table.either(members)
    }

    private static let needsEscape = ScalarRanges([0...0x1F, 0x22...0x22, 0x5C...0x5C])

    static func escape(_ scalar: UInt32) -> [UInt8] {
        switch scalar {
        case 0x22: return Array("\\\"".utf8)
        case 0x5C: return Array("\\\\".utf8)
        case 0x08: return Array("\\b".utf8)
        case 0x0C: return Array("\\f".utf8)
        case 0x0A: return Array("\\n".utf8)
        case 0x0D: return Array("\\r".utf8)
        case 0x09: return Array("\\t".utf8)
        default:
            let digits = String(scalar, radix: 16)
            return Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
        }
    }

    private func utf8(_ set: ScalarRanges) -> Term {
        var single = ByteSet()
        var members: [Term] = []
        for sequence in ScalarBytes.sequences(set) {
            if sequence.count == 1 {
                for byte in sequence[0] { single.insert(byte) }
            } else {
                members.append(table.sequence(sequence.map { table.bytes(ByteSet($0)) }))
            }
        }
        members.append(table.bytes(single))
        return table.either(members)
    }
}
