internal import DSSupport

/// Turns a JSON schema into terms: the texts of just those values that it admits, members of objects in the order of the
/// schema. What cannot be enforced is an error.
///
/// Keywords are those of draft 2020-12 and, where the older drafts do not contradict it, theirs.
struct JSONSchemaCompiler {
    var json: JSONGrammar
    var document: SchemaDocument
    let limits: GrammarLimits
    let closesObjects: Bool
    let source: JSONValue
    /// The source as it stands in the document, and where.
    let part: (schema: JSONValue, path: [String])
    /// Rules of conjunctions of schemas.
    private var rules: [[SchemaID]: Rule] = [:]
    private var pending: [(ids: [SchemaID], rule: Rule)] = []
    /// Shapes of conjunctions, computed once.
    var shapes: [[SchemaID]: [SchemaShape]] = [:]
    var patterns: [String: PatternTester] = [:]
    var formats: [String: PatternTester] = [:]

    init(_ source: JSONSchemaSource, table: TermTable, limits: GrammarLimits) throws(GrammarError) {
        guard source.text.count <= limits.sourceBytes else {
            throw .tooLarge(what: "bytes of a schema", limit: limits.sourceBytes)
        }
        do {
            let root = try JSONValue.parse(source.text, limits: JSONLimits(maximumDepth: limits.depth))
            document = SchemaDocument(root, work: table.work)
            var value = root
            for key in source.path {
                let next: JSONValue? =
                    if case .array = value { Int(key).flatMap { value[$0] } } else { value[key] }
                guard let next else {
                    throw GrammarError.malformed(what: "schema", expected: "a part '\(key)'", found: "none")
                }
                value = next
            }
            part = (value, source.path)
            self.source =
                switch source.kinds {
                case .all: value
                case .others: ["allOf": [value, ["not": ["type": "string"]]]]
                case .objects: ["type": "object", "allOf": [value]]
                }
        } catch let error as GrammarError {
            throw error
        } catch {
            throw .malformed(what: "schema", expected: "JSON of at most \(limits.depth) levels", found: "\(error)")
        }
        json = JSONGrammar(table, whitespace: source.whitespace)
        self.limits = limits
        closesObjects = source.closesObjects
    }

    var table: TermTable { json.table }

    /// The texts of the whole schema.
    mutating func root() throws(GrammarError) -> Term {
        let term = try value([document.name(source)])
        try compilePending()
        return term
    }

    /// A string's own text, which cannot contain `end`.
    mutating func bareString(end: [UInt8]) throws(GrammarError) -> Term {
        var members: [Term] = []
        for shape in try shapes(of: [document.name(source)]) where shape.types.contains(.string) {
            members.append(try stringBody(shape, encoding: .plain))
        }
        let builder = RegexTermBuilder(json.table, encoding: .plain)
        let anything = builder.anything()
        let ending = json.table.sequence([anything, json.table.addLiteral(end), anything])
        return json.table.both([json.table.either(members), json.table.complement(ending)])
    }

    /// Rules are compiled one after the other, so that deep or recursive schemas need no deep stack.
    private mutating func compilePending() throws(GrammarError) {
        while let (ids, rule) = pending.popLast() {
            let body = try body(ids)
            json.table.define(rule, body)
            if let failure = json.table.failure { throw failure }
        }
    }

    /// A value that satisfies all of these schemas.
    mutating func value(_ ids: [SchemaID]) throws(GrammarError) -> Term {
        let ids = Array(Set(ids)).sorted()
        if let rule = rules[ids] { return json.table.reference(rule) }
        guard rules.count < limits.terms / 8 else {
            throw .tooLarge(what: "parts of a schema", limit: limits.terms / 8)
        }
        let rule = json.table.makeRule("schema")
        rules[ids] = rule
        pending.append((ids, rule))
        return json.table.reference(rule)
    }

    private mutating func body(_ ids: [SchemaID]) throws(GrammarError) -> Term {
        let found = try shapes(of: ids)
        if ids.allSatisfy({ document[$0] == .bool(true) || document[$0].objectValue?.isEmpty == true }) {
            return json.anyValue()
        }
        var members: [Term] = []
        for shape in found { members.append(try term(shape)) }
        return json.table.either(members)
    }

    // MARK: One shape

    private mutating func term(_ shape: SchemaShape) throws(GrammarError) -> Term {
        if let literals = shape.literals {
            var texts: [[UInt8]] = []
            for value in literals where try admits(value, shape) { texts.append(value.serialized(json.format)) }
            return json.table.anyLiteral(texts)
        }
        var members: [Term] = []
        if shape.types.contains(.null), !shape.excluded.contains(.null) { members.append(json.literal(.null)) }
        if shape.types.contains(.boolean) {
            for value in [JSONValue.bool(true), .bool(false)] where !shape.excluded.contains(value) {
                members.append(json.literal(value))
            }
        }
        if shape.types.contains(.number) { members.append(try number(shape)) }
        if shape.types.contains(.string) { members.append(json.quoted(try stringBody(shape, encoding: .json))) }
        if shape.types.contains(.array) { members.append(try array(shape)) }
        if shape.types.contains(.object) { members.append(try object(shape)) }
        return json.table.either(members)
    }

    private mutating func number(_ shape: SchemaShape) throws(GrammarError) -> Term {
        let excluded = shape.excluded.filter { JSONTypes(of: $0) == .number }
        guard excluded.isEmpty || shape.isInteger else {
            throw .unsupported(keyword: "not", path: "a number", reason: "a number has many spellings")
        }
        var parts: [Term] = []
        for bound in shape.lower { parts.append(json.atLeast(bound, isInteger: shape.isInteger)) }
        for bound in shape.upper { parts.append(json.atMost(bound, isInteger: shape.isInteger)) }
        let isBounded = !parts.isEmpty
        for divisor in shape.divisors {
            let minus = json.table.optional(json.table.literal("-"))
            parts.append(json.table.sequence(minus, json.table.remainder(0, divisor: divisor)))
        }
        if shape.isInteger || !shape.divisors.isEmpty {
            if !isBounded || !shape.isInteger { parts.append(json.integer()) }
        } else if !isBounded {
            parts.append(json.number())
        }
        let texts = excluded.compactMap { value in
            value.intValue.map { Array(String($0).utf8) }
        }
        if !texts.isEmpty { parts.append(json.table.complement(json.table.anyLiteral(texts))) }
        return json.table.both(parts)
    }
}
