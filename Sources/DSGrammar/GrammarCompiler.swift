/// Turns sources into one table of terms.
struct GrammarCompiler {
    private let vocabulary: GrammarVocabulary
    private let limits: GrammarLimits
    private let table: TermTable
    /// Schemas and grammars that stand in several places are compiled once.
    private var known: [GrammarSource: Term] = [:]
    /// Bytes of the texts that were read.
    private(set) var sourceBytes = 0

    init(vocabulary: GrammarVocabulary, limits: GrammarLimits) {
        self.vocabulary = vocabulary
        self.limits = limits
        table = TermTable(limits: limits)
    }

    mutating func compile(_ source: GrammarSource) throws(GrammarError) -> (TermTable, Term) {
        let term = try term(source, depth: 0)
        try table.complete()
        guard table.isProductive(term) else {
            if let failure = table.failure { throw failure }
            throw .matchesNothing(what: "grammar")
        }
        return (table, term)
    }

    private mutating func term(_ source: GrammarSource, depth: Int) throws(GrammarError) -> Term {
        guard depth < limits.depth else { throw .tooLarge(what: "nesting of the grammar", limit: limits.depth) }
        // Parts that stand in several places are met in each of them.
        try table.work.charge(20)
        switch source {
        case .jsonObject(let whitespace):
            var json = JSONGrammar(table, whitespace: whitespace)
            let term = json.anyObject()
            return term
        case .jsonSchema(let schema):
            if let term = known[source] { return term }
            let term = try schemaTerm(schema, bareEnd: nil)
            known[source] = term
            return term
        case .bareString(let schema, let end): return try schemaTerm(schema, bareEnd: end)
        case .regex(let pattern):
            try read(pattern.utf8.count)
            let syntax = try RegexParser.parse(pattern, limits: limits)
            let builder = RegexTermBuilder(table, encoding: .plain)
            let term = try builder.whole(syntax)
            return term
        case .choice(let texts):
            guard !texts.isEmpty else {
                throw .malformed(what: "choice", expected: "at least one text", found: "none")
            }
            let size = texts.reduce(0) { $0 + $1.utf8.count }
            guard size <= limits.sourceBytes else {
                throw .tooLarge(what: "bytes of a choice", limit: limits.sourceBytes)
            }
            try read(size)
            return table.anyLiteral(texts.map { Array($0.utf8) })
        case .gbnf(let text):
            if let term = known[source] { return term }
            try read(text.utf8.count)
            var parser = try GBNFParser(text, limits: limits)
            let term = try parser.parse().lower(into: table, vocabulary: vocabulary)
            known[source] = term
            return term
        case .text(let text): return table.literal(text)
        case .marker(let spelling):
            let bytes = Array(spelling.utf8)
            if let token = vocabulary.controlToken(bytes) { return table.token(token) }
            return table.addLiteral(bytes)
        case .token(let id):
            guard (0..<vocabulary.count).contains(Int(id)) else {
                throw .malformed(
                    what: "token", expected: "an id in 0..<\(vocabulary.count)", found: "\(id)")
            }
            return table.token(id)
        case .structuralTag(let tag):
            sourceBytes += tag.text.count
            return try term(
                try StructuralTagReader.read(tag, limits: limits, work: table.work), depth: depth + 1)
        case .freeText(let text): return freeText.term(text)
        case .freeTextThrough(let mark, let marks, let text):
            return freeText.term(through: mark, firstOf: marks, text)
        case .spelled(let text): return freeText.spelled(text)
        case .spelledWithTokens(let text): return freeText.withTokens(text)
        case .sequence(let parts):
            var terms: [Term] = []
            for part in parts { terms.append(try term(part, depth: depth + 1)) }
            return table.sequence(terms)
        case .either(let parts):
            var terms: [Term] = []
            for part in parts { terms.append(try term(part, depth: depth + 1)) }
            return table.either(terms)
        case .repeated(let part, let atLeast, let atMost):
            guard atLeast >= 0, atLeast <= atMost ?? .max else {
                throw .malformed(
                    what: "repetition", expected: "0 <= at least <= at most",
                    found: "\(atLeast)...\(atMost.map(String.init) ?? "")")
            }
            return table.repeated(try term(part, depth: depth + 1), atLeast, atMost)
        }
    }

    /// Reading a byte of a text takes some steps.
    private mutating func read(_ bytes: Int) throws(GrammarError) {
        sourceBytes += bytes
        // What is too long is refused for that.
        try table.work.charge(4 * min(bytes, limits.sourceBytes))
    }

    private var freeText: FreeTextTermBuilder { FreeTextTermBuilder(table, vocabulary: vocabulary) }

    private mutating func schemaTerm(
        _ schema: JSONSchemaSource, bareEnd: String?
    ) throws(GrammarError) -> Term {
        sourceBytes += schema.text.count
        // Each part of a document is read with all of it.
        try table.work.charge(min(schema.text.count, limits.sourceBytes) / 2)
        do {
            var compiler = try JSONSchemaCompiler(schema, table: table, limits: limits)
            guard let bareEnd else { return try compiler.root() }
            return try compiler.bareString(end: Array(bareEnd.utf8))
        } catch {
            throw schema.attributed(error)
        }
    }
}
