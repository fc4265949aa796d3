internal import DSSupport

extension JSONSchemaCompiler {
    /// What stands between the quotes.
    ///
    /// A string with nothing to check but its length may be written in any way; with patterns, formats or excluded
    /// values each character has one spelling, so that the pattern sees what a reader will.
    mutating func stringBody(
        _ shape: SchemaShape, encoding: RegexTermBuilder.Encoding
    ) throws(GrammarError) -> Term {
        if let maxLength = shape.maxLength, maxLength < shape.minLength { return .nothing }
        if let literals = shape.literals {
            var texts: [[UInt8]] = []
            for case .string(let value) in literals where try admits(.string(value), shape) {
                texts.append(value.bytes)
            }
            return json.table.anyLiteral(texts.map { spelled($0, encoding) })
        }
        let excluded = shape.excluded.compactMap(\.bytesValue)
        let isFree =
            shape.patterns.isEmpty && shape.antipatterns.isEmpty && shape.formats.isEmpty && excluded.isEmpty
        if isFree, encoding == .json {
            return json.table.repeated(json.character(), shape.minLength, shape.maxLength)
        }
        let builder = RegexTermBuilder(json.table, encoding: encoding)
        let character = builder.set(.all)
        var parts: [Term] = []
        for pattern in shape.patterns { parts.append(try builder.search(try parse(pattern))) }
        for format in shape.formats {
            try table.work.charge(1_000)
            parts.append(try builder.whole(try StringFormat.syntax(format, limits)))
        }
        var antiparts: [Term] = []
        for pattern in shape.antipatterns { antiparts.append(try builder.search(try parse(pattern))) }
        if shape.minLength > 0 || shape.maxLength != nil || parts.isEmpty {
            parts.append(json.table.repeated(character, shape.minLength, shape.maxLength))
        }
        for part in antiparts { parts.append(json.table.complement(part)) }
        if !excluded.isEmpty {
            let texts = excluded.map { spelled($0, encoding) }
            parts.append(json.table.complement(json.table.anyLiteral(texts)))
        }
        return json.table.both(parts)
    }

    func parse(_ pattern: String) throws(GrammarError) -> RegexSyntax {
        try table.work.charge(4 * pattern.utf8.count)
        return try RegexParser.parse(pattern, limits: limits)
    }

    func spelled(_ text: [UInt8], _ encoding: RegexTermBuilder.Encoding) -> [UInt8] {
        guard encoding == .json else { return text }
        return String(decoding: text, as: UTF8.self).unicodeScalars.flatMap { scalar in
            scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
                ? RegexTermBuilder.escape(scalar.value) : ScalarBytes.utf8(scalar.value)
        }
    }

    /// Whether a pattern matches somewhere in a text.
    mutating func matches(_ pattern: String, _ text: [UInt8]) throws(GrammarError) -> Bool {
        if let known = patterns[pattern] { return try known.matches(text) }
        let tester = try PatternTester(try parse(pattern), isSearch: true, limits: limits, work: table.work)
        patterns[pattern] = tester
        return try tester.matches(text)
    }

    /// Whether a text as a whole has a format.
    mutating func follows(_ format: String, _ text: [UInt8]) throws(GrammarError) -> Bool {
        if let known = formats[format] { return try known.matches(text) }
        let syntax = try StringFormat.syntax(format, limits)
        let tester = try PatternTester(syntax, isSearch: false, limits: limits, work: table.work)
        formats[format] = tester
        return try tester.matches(text)
    }
}

/// Tells whether texts match, while a schema is compiled.
struct PatternTester {
    private let table: TermTable
    private let term: Term

    init(
        _ syntax: RegexSyntax, isSearch: Bool, limits: GrammarLimits, work: GrammarWork
    ) throws(GrammarError) {
        table = TermTable(limits: limits, work: work)
        let builder = RegexTermBuilder(table, encoding: .plain)
        term = isSearch ? try builder.search(syntax) : try builder.whole(syntax)
        try table.complete()
    }

    func matches(_ text: [UInt8]) throws(GrammarError) -> Bool {
        var term = term
        for byte in text { term = table.derivative(term, byte) }
        if let failure = table.failure { throw failure }
        return table.matchesEmpty(term)
    }
}
