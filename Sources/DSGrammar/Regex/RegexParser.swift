/// Reads regular expressions of ECMA 262 with Unicode, as JSON Schema uses them. What no finite automaton can do
/// (references back) or what is rarely used is an error.
struct RegexParser {
    private let pattern: String
    private let scalars: [Unicode.Scalar]
    private let limits: GrammarLimits
    private var position = 0
    /// Of all classes of characters: a few letters of a pattern may stand for hundreds.
    private var rangeCount = 0

    static func parse(_ pattern: String, limits: GrammarLimits = GrammarLimits()) throws(GrammarError) -> RegexSyntax {
        guard pattern.utf8.count <= limits.sourceBytes else {
            throw .tooLarge(what: "bytes of a pattern", limit: limits.sourceBytes)
        }
        var parser = RegexParser(pattern, limits)
        let result = try parser.alternatives(depth: 0)
        guard parser.position == parser.scalars.count else { throw parser.failure("the end of the pattern") }
        return result
    }

    private init(_ pattern: String, _ limits: GrammarLimits) {
        self.pattern = pattern
        self.limits = limits
        scalars = Array(pattern.unicodeScalars)
    }

    private func failure(_ expected: String) -> GrammarError {
        let found = position < scalars.count ? "'\(scalars[position])' at offset \(position)" : "its end"
        return .malformed(what: "pattern '\(pattern.prefix(200))'", expected: expected, found: found)
    }

    private func unsupported(_ what: String, _ reason: String) -> GrammarError {
        .unsupported(keyword: what, path: "pattern '\(pattern.prefix(200))'", reason: reason)
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    // MARK: Structure

    private mutating func alternatives(depth: Int) throws(GrammarError) -> RegexSyntax {
        guard depth < limits.depth else { throw .tooLarge(what: "nesting of a pattern", limit: limits.depth) }
        var branches = [try sequence(depth)]
        while take("|") { branches.append(try sequence(depth)) }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence(_ depth: Int) throws(GrammarError) -> RegexSyntax {
        var parts: [RegexSyntax] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            var part = try atom(depth)
            part = try quantified(part)
            parts.append(part)
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func atom(_ depth: Int) throws(GrammarError) -> RegexSyntax {
        guard let scalar = next else { throw failure("an atom") }
        position += 1
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .set(.notNewline)
        case "(": return try group(depth)
        case "[": return .set(try characterClass())
        case "\\": return try escape()
        case "*", "+", "?":
            position -= 1
            throw failure("something to repeat")
        default: return .set(ScalarRanges([scalar]))
        }
    }

    private mutating func group(_ depth: Int) throws(GrammarError) -> RegexSyntax {
        var isLookahead: Bool?
        if take("?") {
            if take("=") {
                isLookahead = true
            } else if take("!") {
                isLookahead = false
            } else if take("<=") || take("<!") {
                throw unsupported("(?<", "looking behind")
            } else if take("<") || take("P<") {
                while let scalar = next, scalar != ">" {
                    guard scalar.properties.isAlphabetic || scalar == "_" || ("0"..."9").contains(scalar) else {
                        throw failure("the name of a group")
                    }
                    position += 1
                }
                guard take(">") else { throw failure("'>'") }
            } else if !take(":") {
                throw unsupported("(?", "flags and other kinds of groups")
            }
        }
        let body = try alternatives(depth: depth + 1)
        guard take(")") else { throw failure("')'") }
        return isLookahead.map { .lookahead(body, isNegative: !$0) } ?? body
    }

    private mutating func quantified(_ part: RegexSyntax) throws(GrammarError) -> RegexSyntax {
        let bounds: (Int, Int?)
        if take("*") {
            bounds = (0, nil)
        } else if take("+") {
            bounds = (1, nil)
        } else if take("?") {
            bounds = (0, 1)
        } else if next == "{", let counts = try counts() {
            bounds = counts
        } else {
            return part
        }
        // Lazily or not: the language is the same.
        _ = take("?")
        if case .start = part { throw failure("something to repeat") }
        if case .end = part { throw failure("something to repeat") }
        if let scalar = next, "*+?".unicodeScalars.contains(scalar) { throw failure("no second quantifier") }
        return .repeated(part, atLeast: bounds.0, atMost: bounds.1)
    }

    /// `{m}`, `{m,}`, `{m,n}`; nil for a brace that is just a brace.
    private mutating func counts() throws(GrammarError) -> (Int, Int?)? {
        let start = position
        position += 1
        guard let least = try number() else {
            position = start
            throw failure("a count")
        }
        var most: Int? = least
        if take(",") { most = try number() }
        guard take("}") else { throw failure("'}'") }
        guard least <= most ?? .max else { throw failure("counts in ascending order") }
        return (least, most)
    }

    private mutating func number() throws(GrammarError) -> Int? {
        var value: Int?
        while let digit = next.flatMap({ $0.value >= 0x30 && $0.value <= 0x39 ? Int($0.value) - 0x30 : nil }) {
            value = (value ?? 0) * 10 + digit
            guard value ?? 0 <= limits.repetitions else {
                throw .tooLarge(what: "repetitions of a pattern", limit: limits.repetitions)
            }
            position += 1
        }
        return value
    }

    // MARK: Classes and escapes

    private mutating func characterClass() throws(GrammarError) -> ScalarRanges {
        let isNegative = take("^")
        var positive: [ClosedRange<UInt32>] = []
        // A negated class leaves out whatever any reading of its parts could mean.
        var wide: [ClosedRange<UInt32>] = []
        while !take("]") {
            let (low, single) = try classAtom()
            let mayBeRange = next == "-" && position + 1 < scalars.count && scalars[position + 1] != "]"
            guard mayBeRange, let first = single else {
                positive += low.set.ranges
                wide += low.wide.ranges
                continue
            }
            position += 1
            let (_, last) = try classAtom()
            guard let last, first.value <= last.value else { throw failure("a range in ascending order") }
            positive.append(first.value...last.value)
            wide.append(first.value...last.value)
        }
        rangeCount += positive.count + wide.count
        guard rangeCount <= limits.terms else {
            throw .tooLarge(what: "ranges of characters in a pattern", limit: limits.terms)
        }
        return isNegative ? ScalarRanges(wide).inverted : ScalarRanges(positive)
    }

    private typealias ClassPart = (set: ScalarRanges, wide: ScalarRanges)

    private mutating func classAtom() throws(GrammarError) -> (ClassPart, Unicode.Scalar?) {
        guard let scalar = next else { throw failure("']'") }
        position += 1
        guard scalar == "\\" else {
            let set = ScalarRanges([scalar])
            return ((set, set), scalar)
        }
        if take("b") { return ((ScalarRanges(["\u{8}"]), ScalarRanges(["\u{8}"])), "\u{8}") }
        if take("-") { return ((ScalarRanges(["-"]), ScalarRanges(["-"])), "-") }
        if let named = try namedClass() { return (named, nil) }
        let found = try escapedScalar()
        return ((ScalarRanges([found]), ScalarRanges([found])), found)
    }

    private mutating func escape() throws(GrammarError) -> RegexSyntax {
        if let named = try namedClass() { return .set(named.set) }
        if next == "b" || next == "B" { throw unsupported("\\b", "bounds of words") }
        if let digit = next, ("1"..."9").contains(digit) || digit == "k" {
            throw unsupported("\\\(digit)", "references to groups")
        }
        return .set(ScalarRanges([try escapedScalar()]))
    }

    /// The set that is meant, and the widest reading of it.
    private mutating func namedClass() throws(GrammarError) -> ClassPart? {
        guard let scalar = next else { return nil }
        switch scalar {
        case "d":
            position += 1
            return (.digits, ScalarRanges.notDigits.inverted)
        case "D":
            position += 1
            return (.notDigits, ScalarRanges.digits.inverted)
        case "w":
            position += 1
            return (.word, ScalarRanges.notWord.inverted)
        case "W":
            position += 1
            return (.notWord, ScalarRanges.word.inverted)
        case "s":
            position += 1
            return (.space, ScalarRanges.notSpace.inverted)
        case "S":
            position += 1
            return (.notSpace, ScalarRanges.space.inverted)
        case "p", "P":
            position += 1
            guard take("{") else { throw failure("'{'") }
            var name = ""
            while let scalar = next, scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}") else { throw failure("'}'") }
            guard let set = ScalarRanges.named(name) else {
                throw unsupported("\\p{\(name.prefix(40))}", "general categories only")
            }
            let result = scalar == "p" ? set : set.inverted
            return (result, result)
        default: return nil
        }
    }

    private mutating func escapedScalar() throws(GrammarError) -> Unicode.Scalar {
        guard let scalar = next else { throw failure("an escaped character") }
        position += 1
        switch scalar {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "f": return "\u{C}"
        case "v": return "\u{B}"
        case "a": return "\u{7}"
        case "0": return "\0"
        case "x": return try hexadecimal(2)
        case "c":
            guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else { throw failure("a letter") }
            position += 1
            return Unicode.Scalar(UInt8(letter.value & 0x1F))
        case "u":
            if take("{") {
                var digits = 0
                while let digit = next, digit != "}", digits < 7, digit.properties.isASCIIHexDigit {
                    digits += 1
                    position += 1
                }
                position -= digits
                let found = try hexadecimal(digits)
                guard take("}") else { throw failure("'}'") }
                return found
            }
            return try codeUnits()
        default:
            guard !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
                position -= 1
                throw failure("a known escape")
            }
            return scalar
        }
    }

    /// `\uXXXX`, or two of them that form one scalar.
    private mutating func codeUnits() throws(GrammarError) -> Unicode.Scalar {
        let first = try hexadecimalValue(4)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take("\\u") else { throw failure("a pair of surrogates") }
        let second = try hexadecimalValue(4)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw failure("a pair of surrogates") }
        return scalar
    }

    private mutating func hexadecimal(_ count: Int) throws(GrammarError) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(try hexadecimalValue(count)) else { throw failure("a Unicode scalar") }
        return scalar
    }

    private mutating func hexadecimalValue(_ count: Int) throws(GrammarError) -> UInt32 {
        guard count > 0, position + count <= scalars.count else { throw failure("\(max(count, 1)) hexadecimal digits") }
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = Character(scalars[position]).hexDigitValue else { throw failure("a hexadecimal digit") }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
