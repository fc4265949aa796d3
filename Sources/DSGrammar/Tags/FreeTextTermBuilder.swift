/// Builds the terms of free text, and of texts in which control tokens may stand for their spellings.
struct FreeTextTermBuilder {
    private let table: TermTable
    private let vocabulary: GrammarVocabulary
    private let character: Term
    private let anything: Term

    init(_ table: TermTable, vocabulary: GrammarVocabulary) {
        self.table = table
        self.vocabulary = vocabulary
        let builder = RegexTermBuilder(table, encoding: .plain)
        character = builder.set(.all)
        anything = builder.anything()
    }

    func term(_ text: FreeText) -> Term {
        let all = table.repeated(character, 0, text.maximumLength)
        guard !text.excluded.isEmpty else { return all }
        return table.both([all, without(text.excluded)])
    }

    /// Free text that ends with `mark`, where no other of `marks` and no earlier `mark` has ended before.
    func term(through mark: String, firstOf marks: [String], _ text: FreeText) -> Term {
        let afterFirst = table.sequence([anything, literals(marks), character, anything])
        var parts = [table.sequence(anything, table.literal(mark)), table.complement(afterFirst)]
        if !text.excluded.isEmpty { parts.append(without(text.excluded)) }
        let before = term(FreeText(without: text.excluded + marks))
        return table.either(table.both(parts), table.sequence(before, withTokens(mark)))
    }

    /// The text, in letters or with control tokens for their spellings.
    func spelled(_ text: String) -> Term { table.either(table.literal(text), withTokens(text)) }

    /// The text with control tokens for their spellings; nothing if there is none in it.
    func withTokens(_ text: String) -> Term {
        var parts: [Term] = []
        var rest = Array(text.utf8)[...]
        table.work.spend(rest.reduce(0) { $0 + 1 + vocabulary.controlTokenCount(beginningWith: $1) })
        while let (range, token) = vocabulary.firstControlToken(in: rest) {
            parts += [table.addLiteral(Array(rest[..<range.lowerBound])), table.token(token)]
            rest = rest[range.upperBound...]
        }
        guard !parts.isEmpty else { return .nothing }
        return table.sequence(parts + [table.addLiteral(Array(rest))])
    }

    private func literals(_ texts: [String]) -> Term { table.anyLiteral(texts.map { Array($0.utf8) }) }

    private func without(_ texts: [String]) -> Term {
        table.complement(table.sequence([anything, literals(texts), anything]))
    }
}
