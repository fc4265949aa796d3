/// Reads llama.cpp's GBNF and the EBNF of xgrammar: rules `name ::= …` of strings, classes of characters, groups,
/// repetitions and names; `#` begins a comment. A rule ends where the next one begins.
struct GBNFParser {
    private let scalars: [Unicode.Scalar]
    private let limits: GrammarLimits
    private var position = 0

    init(_ text: String, limits: GrammarLimits) throws(GrammarError) {
        guard text.utf8.count <= limits.sourceBytes else {
            throw .tooLarge(what: "bytes of a grammar", limit: limits.sourceBytes)
        }
        scalars = Array(text.unicodeScalars)
        self.limits = limits
    }

    mutating func parse() throws(GrammarError) -> RuleGrammar {
        var grammar = RuleGrammar(root: "root")
        var seen: Set<String> = []
        skipSpace()
        while position < scalars.count {
            guard let name = ruleName() else { throw failure("the name of a rule") }
            skipSpace()
            guard take("::=") else { throw failure("'::='") }
            guard seen.insert(name).inserted else {
                throw .malformed(what: "grammar", expected: "rules with different names", found: "two of '\(name)'")
            }
            grammar.rules.append((name, try alternatives(depth: 0)))
            skipSpace()
        }
        return grammar
    }

    private func failure(_ expected: String) -> GrammarError {
        let line = scalars[..<min(position, scalars.count)].count { $0 == "\n" } + 1
        let found = position < scalars.count ? "'\(scalars[position])' in line \(line)" : "its end"
        return .malformed(what: "grammar", expected: expected, found: found)
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func skipSpace() {
        while let scalar = next {
            if scalar == "#" {
                while let scalar = next, scalar != "\n" {
                    _ = scalar
                    position += 1
                }
            } else if scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" {
                position += 1
            } else {
                return
            }
        }
    }

    private mutating func ruleName() -> String? {
        var name = ""
        while let scalar = next, scalar.isASCII,
            scalar.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains(scalar)
        {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        return name.isEmpty ? nil : name
    }

    // MARK: Expressions

    private mutating func alternatives(depth: Int) throws(GrammarError) -> GBNFExpression {
        guard depth < limits.depth else { throw .tooLarge(what: "nesting of a grammar", limit: limits.depth) }
        var branches = [try sequence(depth)]
        while true {
            skipSpace()
            guard take("|") else { break }
            branches.append(try sequence(depth))
        }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence(_ depth: Int) throws(GrammarError) -> GBNFExpression {
        var parts: [GBNFExpression] = []
        while true {
            skipSpace()
            guard let scalar = next, scalar != "|", scalar != ")", !beginsRule() else { break }
            parts.append(try repeated(try atom(depth)))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// A name with `::=` behind it belongs to the next rule.
    private mutating func beginsRule() -> Bool {
        let start = position
        defer { position = start }
        guard ruleName() != nil else { return false }
        skipSpace()
        return take("::=")
    }

    private mutating func atom(_ depth: Int) throws(GrammarError) -> GBNFExpression {
        if take("(") {
            guard next != "=" else {
                throw .unsupported(keyword: "(=", path: "a grammar", reason: "looking ahead")
            }
            let body = try alternatives(depth: depth + 1)
            skipSpace()
            guard take(")") else { throw failure("')'") }
            return body
        }
        if take("\"") { return .literal(try string("\"")) }
        if take("'") { return .literal(try string("'")) }
        if take("[") { return .set(try characterClass()) }
        if take("<") { return try tokenReference() }
        if take(".") { return .set(.all) }
        if let name = ruleName() { return .rule(name) }
        throw failure("a string, a class, a group or a name")
    }

    private mutating func repeated(_ part: GBNFExpression) throws(GrammarError) -> GBNFExpression {
        var result = part
        for _ in 0..<limits.depth {
            if take("*") {
                result = .repeated(result, atLeast: 0, atMost: nil)
            } else if take("+") {
                result = .repeated(result, atLeast: 1, atMost: nil)
            } else if take("?") {
                result = .repeated(result, atLeast: 0, atMost: 1)
            } else if take("{") {
                let (least, most) = try counts()
                result = .repeated(result, atLeast: least, atMost: most)
            } else {
                return result
            }
        }
        throw .tooLarge(what: "repetitions inside each other", limit: limits.depth)
    }

    private mutating func counts() throws(GrammarError) -> (Int, Int?) {
        skipSpace()
        let least = try number()
        skipSpace()
        var most = least
        if take(",") {
            skipSpace()
            most = try number()
            skipSpace()
        } else if least == nil {
            throw failure("a count")
        }
        guard take("}") else { throw failure("'}'") }
        guard least ?? 0 <= most ?? .max else { throw failure("counts in ascending order") }
        return (least ?? 0, most)
    }

    private mutating func number() throws(GrammarError) -> Int? {
        var value: Int?
        while let scalar = next, ("0"..."9").contains(scalar) {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            guard value ?? 0 <= limits.repetitions else {
                throw .tooLarge(what: "repetitions of a grammar", limit: limits.repetitions)
            }
            position += 1
        }
        return value
    }

    // MARK: Characters

    private mutating func string(_ quote: Unicode.Scalar) throws(GrammarError) -> [UInt8] {
        var text = ""
        while let scalar = next, scalar != quote {
            position += 1
            text.unicodeScalars.append(scalar == "\\" ? try escape() : scalar)
        }
        guard next == quote else { throw failure("the end of a string") }
        position += 1
        return Array(text.utf8)
    }

    private mutating func characterClass() throws(GrammarError) -> ScalarRanges {
        let isNegative = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while let scalar = next, scalar != "]" {
            position += 1
            if scalar == "\\", let name = next, "dws".unicodeScalars.contains(name) {
                position += 1
                ranges += (name == "d" ? ScalarRanges.digits : name == "w" ? .word : .space).ranges
                continue
            }
            let low = scalar == "\\" ? try escape() : scalar
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                ranges.append(low.value...low.value)
                continue
            }
            position += 1
            guard let end = next else { throw failure("the end of a range") }
            position += 1
            let high = end == "\\" ? try escape() : end
            guard low.value <= high.value else { throw failure("a range in ascending order") }
            ranges.append(low.value...high.value)
        }
        guard take("]") else { throw failure("']'") }
        let set = ScalarRanges(ranges)
        return isNegative ? set.inverted : set
    }

    private mutating func escape() throws(GrammarError) -> Unicode.Scalar {
        guard let scalar = next else { throw failure("an escaped character") }
        position += 1
        switch scalar {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "x": return try hexadecimal(2)
        case "u": return try hexadecimal(4)
        case "U": return try hexadecimal(8)
        default:
            guard !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
                position -= 1
                throw failure("a known escape")
            }
            return scalar
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(GrammarError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = next.flatMap({ Character($0).hexDigitValue }) else {
                throw failure("\(count) hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        guard let scalar = Unicode.Scalar(value) else { throw failure("a Unicode scalar") }
        return scalar
    }

    /// `<[id]>` or `<spelling>`.
    private mutating func tokenReference() throws(GrammarError) -> GBNFExpression {
        if take("[") {
            guard let id = try number(), let token = Int32(exactly: id), take("]>") else { throw failure("'<[id]>'") }
            return .token(token)
        }
        var spelling = "<"
        while let scalar = next, scalar != ">" {
            spelling.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(">") else { throw failure("'>'") }
        return .marker(Array((spelling + ">").utf8))
    }
}
