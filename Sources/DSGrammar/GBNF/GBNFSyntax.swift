/// One side of a rule, as it was written.
indirect enum GBNFExpression: Hashable, Sendable {
    case literal([UInt8])
    case set(ScalarRanges)
    case sequence([GBNFExpression])
    case either([GBNFExpression])
    case repeated(GBNFExpression, atLeast: Int, atMost: Int?)
    case rule(String)
    case token(Int32)
    /// A control token by its spelling.
    case marker([UInt8])
    case regex(RegexSyntax)
}

/// A grammar of named rules.
struct RuleGrammar: Sendable {
    var rules: [(name: String, body: GBNFExpression)] = []
    var root: String

    /// Makes every rule one of the table and returns the root's term.
    func lower(into table: TermTable, vocabulary: GrammarVocabulary) throws(GrammarError) -> Term {
        var names: [String: Rule] = [:]
        for rule in rules { names[rule.name] = table.makeRule(rule.name) }
        for rule in rules {
            guard let target = names[rule.name] else { continue }
            let body = Self.withoutLeftRecursion(rule.name, rule.body)
            table.define(target, try term(body, names, table, vocabulary))
        }
        guard let start = names[root] else {
            throw .malformed(
                what: "grammar", expected: "a rule '\(root)'",
                found: "the rules \(rules.prefix(20).map { "'\($0.name)'" }.joined(separator: ", "))")
        }
        return table.reference(start)
    }

    private func term(
        _ expression: GBNFExpression, _ names: [String: Rule], _ table: TermTable, _ vocabulary: GrammarVocabulary
    ) throws(GrammarError) -> Term {
        switch expression {
        case .literal(let bytes): return table.addLiteral(bytes)
        case .set(let set):
            let builder = RegexTermBuilder(table, encoding: .plain)
            return builder.set(set)
        case .regex(let syntax):
            let builder = RegexTermBuilder(table, encoding: .plain)
            return try builder.whole(syntax)
        case .sequence(let parts):
            var terms: [Term] = []
            for part in parts { terms.append(try term(part, names, table, vocabulary)) }
            return table.sequence(terms)
        case .either(let parts):
            var terms: [Term] = []
            for part in parts { terms.append(try term(part, names, table, vocabulary)) }
            return table.either(terms)
        case .repeated(let body, let atLeast, let atMost):
            return table.repeated(try term(body, names, table, vocabulary), atLeast, atMost)
        case .rule(let name):
            guard let rule = names[name] else {
                throw .malformed(what: "grammar", expected: "a rule '\(name)'", found: "none of that name")
            }
            return table.reference(rule)
        case .token(let id):
            guard (0..<vocabulary.count).contains(Int(id)) else {
                throw .malformed(
                    what: "token of a grammar", expected: "an id in 0..<\(vocabulary.count)", found: "\(id)")
            }
            return table.token(id)
        case .marker(let spelling):
            guard let id = vocabulary.controlToken(spelling) else {
                throw .malformed(
                    what: "token of a grammar", expected: "a control token of the vocabulary",
                    found: "'\(String(decoding: spelling, as: UTF8.self))'")
            }
            return table.token(id)
        }
    }

    /// `a ::= a x | y` says the same as `a ::= y x*`.
    private static func withoutLeftRecursion(_ name: String, _ body: GBNFExpression) -> GBNFExpression {
        let branches: [GBNFExpression] = if case .either(let members) = body { members } else { [body] }
        var tails: [GBNFExpression] = []
        var others: [GBNFExpression] = []
        for branch in branches {
            if case .sequence(let parts) = branch, parts.first == .rule(name) {
                tails.append(.sequence(Array(parts.dropFirst())))
            } else if branch != .rule(name) {
                others.append(branch)
            }
        }
        guard !tails.isEmpty, !others.isEmpty else { return body }
        return .sequence([.either(others), .repeated(.either(tails), atLeast: 0, atMost: nil)])
    }
}
