/// Terms, each stored once, and the rules that they refer to.
///
/// A term stands for what may still come. Reading a byte turns it into its derivative (Brzozowski 1964; for recursive
/// rules: Might, Darais and Spiewak 2011): another term, mostly one that exists already. Since equal terms are one,
/// they are the states of an automaton that is built where texts lead, with the chain of sequences as its stack.
final class TermTable: @unchecked Sendable {
    // SAFETY: belongs to one compiler, and then to one automaton, which is used under a lock.

    private(set) var shapes: [TermShape] = []
    private(set) var properties: [Properties] = []
    /// Members of all terms together.
    private var memberCount = 0
    private var known: [TermShape: Term] = [:]
    private(set) var text: [UInt8] = []
    private var literals: [[UInt8]: Term] = [:]
    /// Body of each rule; `nothing` until it is defined.
    private(set) var rules: [Term] = []
    private(set) var ruleNames: [String] = []
    let limits: GrammarLimits
    let work: GrammarWork
    /// Set when a limit was reached; what is asked then is `nothing`, and must not be remembered.
    private var refusal: GrammarError?
    private var termLimit: Int
    private var aliveness: [Term: Bool] = [:]
    /// Derivatives by term and input, without which rules that refer to others twice would double the work level by
    /// level.
    private var derivatives: [UInt64: Term] = [:]
    /// Derivatives inside each other.
    var recursion = 0
    private(set) var classes = ByteClasses()
    /// Rules are defined: properties are final.
    private(set) var isComplete = false

    struct Properties: Sendable {
        /// The empty text belongs to it.
        var matchesEmpty: Bool
        /// Some text belongs to it.
        var isProductive: Bool
        /// An intersection or complement lies in it, so that it may turn into something that no text matches.
        var isIntersecting: Bool
        var hasRules: Bool
    }

    /// - Parameter work: what tables of one compilation share; nil: a compilation of its own.
    init(limits: GrammarLimits = GrammarLimits(), work: GrammarWork? = nil) {
        self.limits = limits
        self.work = work ?? GrammarWork(limits)
        termLimit = limits.terms
        append(.nothing)
        append(.empty)
    }

    var count: Int { shapes.count }

    func shape(_ term: Term) -> TermShape { shapes[Int(term.index)] }
    func matchesEmpty(_ term: Term) -> Bool { properties[Int(term.index)].matchesEmpty }
    func isProductive(_ term: Term) -> Bool { properties[Int(term.index)].isProductive }
    func isIntersecting(_ term: Term) -> Bool { properties[Int(term.index)].isIntersecting }

    var failure: GrammarError? { refusal ?? work.failure }
    var hasFailed: Bool { work.isExhausted || refusal != nil }

    func fail(_ error: GrammarError) { refusal = refusal ?? error }

    /// A new question, which may cost so many steps; an earlier one's failure is forgotten.
    func allow(_ steps: Int) {
        refusal = nil
        recursion = 0
        work.restart(.token, allowance: steps)
    }

    /// What it holds, by the sizes of its entries.
    var byteCount: Int {
        shapes.count * Self.bytesPerTerm + memberCount * 8 + text.count + derivatives.capacity * 16
            + aliveness.capacity * 8
    }

    /// Shape, properties and an entry of the dictionary.
    private static let bytesPerTerm = 256

    // MARK: Building

    func store(_ shape: TermShape) -> Term {
        work.spend(8 + shape.memberCount)
        if let term = known[shape] { return term }
        guard !hasFailed else { return .nothing }
        guard shapes.count < termLimit else {
            fail(.tooLarge(what: "terms of the grammar", limit: limits.terms))
            return .nothing
        }
        work.spend(100)
        return append(shape)
    }

    @discardableResult
    private func append(_ shape: TermShape) -> Term {
        let term = Term(index: Int32(shapes.count))
        shapes.append(shape)
        properties.append(derivedProperties(shape))
        memberCount += shape.memberCount
        known[shape] = term
        return term
    }

    private func derivedProperties(_ shape: TermShape) -> Properties {
        func of(_ term: Term) -> Properties { properties[Int(term.index)] }
        func plain(_ matchesEmpty: Bool, _ isProductive: Bool = true) -> Properties {
            Properties(
                matchesEmpty: matchesEmpty, isProductive: isProductive, isIntersecting: false, hasRules: false)
        }
        switch shape {
        case .nothing: return plain(false, false)
        case .empty: return plain(true)
        case .bytes(let set): return plain(false, !set.isEmpty)
        case .literal(let start, let end): return plain(start == end)
        case .token, .cut: return plain(false)
        case .remainder(let rest, _): return plain(rest == 0)
        case .rule(let rule):
            var result = isComplete ? of(rules[Int(rule.index)]) : plain(false)
            result.hasRules = true
            return result
        case .sequence(let first, let second):
            let (a, b) = (of(first), of(second))
            return Properties(
                matchesEmpty: a.matchesEmpty && b.matchesEmpty, isProductive: a.isProductive && b.isProductive,
                isIntersecting: a.isIntersecting || b.isIntersecting, hasRules: a.hasRules || b.hasRules)
        case .either(let members):
            return Properties(
                matchesEmpty: members.contains { of($0).matchesEmpty },
                isProductive: members.contains { of($0).isProductive },
                isIntersecting: members.contains { of($0).isIntersecting },
                hasRules: members.contains { of($0).hasRules })
        case .repeated(let body, let atLeast, _):
            var result = of(body)
            result.matchesEmpty = atLeast == 0 || result.matchesEmpty
            result.isProductive = atLeast == 0 || result.isProductive
            return result
        case .both(let members):
            return Properties(
                matchesEmpty: members.allSatisfy { of($0).matchesEmpty },
                isProductive: members.allSatisfy { of($0).isProductive }, isIntersecting: true, hasRules: false)
        case .complement(let member):
            return Properties(
                matchesEmpty: !of(member).matchesEmpty, isProductive: true, isIntersecting: true, hasRules: false)
        }
    }

    // MARK: Rules

    func makeRule(_ name: String) -> Rule {
        rules.append(.nothing)
        ruleNames.append(name)
        return Rule(index: Int32(rules.count - 1))
    }

    func define(_ rule: Rule, _ body: Term) { rules[Int(rule.index)] = body }

    /// Bytes of literals are looked up by derivatives.
    func addLiteral(_ bytes: [UInt8]) -> Term {
        if bytes.isEmpty { return .empty }
        if let term = literals[bytes] { return term }
        let start = Int32(text.count)
        text += bytes
        let term = store(.literal(start: start, end: Int32(text.count)))
        literals[bytes] = term
        return term
    }

    /// Called once, when every rule is defined: what the terms are known to be, now that rules have bodies.
    func complete() throws(GrammarError) {
        if let failure { throw failure }
        isComplete = true
        // Each set of bytes is compared with all of them.
        try work.charge(shapes.count(where: \.isBytes) * 300)
        classes = ByteClasses(shapes, text: text)
        settle()
        // Intersections that nothing lies in are only found by looking, which needs the first round.
        for index in shapes.indices {
            if case .both = shapes[index], !isAlive(Term(index: Int32(index))) {
                properties[index].isProductive = false
            }
        }
        if let failure { throw failure }
        settle()
        try checkLeftRecursion()
        termLimit = shapes.count + limits.terms
    }

    /// The smallest solution: a term has a property if its parts give it one.
    private func settle() {
        let dead = Set(aliveness.filter { !$0.value }.keys)
        // Terms without rules consist of earlier ones.
        for index in shapes.indices where !properties[index].hasRules && !dead.contains(Term(index: Int32(index))) {
            properties[index] = derivedProperties(shapes[index])
        }
        for index in shapes.indices where properties[index].hasRules {
            properties[index].matchesEmpty = false
            properties[index].isProductive = false
            properties[index].isIntersecting = false
        }
        // Each is looked at again when a part of it has gained a property, of which there are three.
        let dependents = dependents()
        var pending = Array(shapes.indices.filter { properties[$0].hasRules }.reversed())
        while let index = pending.popLast() {
            let found = derivedProperties(shapes[index])
            let old = properties[index]
            work.spend(2 + shapes[index].memberCount)
            guard
                found.matchesEmpty != old.matchesEmpty || found.isProductive != old.isProductive
                    || found.isIntersecting != old.isIntersecting
            else { continue }
            properties[index] = found
            pending += dependents[index]
        }
    }

    /// For each term the terms with rules that it is a part of.
    private func dependents() -> [[Int]] {
        var result = [[Int]](repeating: [], count: shapes.count)
        for index in shapes.indices where properties[index].hasRules {
            switch shapes[index] {
            case .sequence(let first, let second):
                result[Int(first.index)].append(index)
                result[Int(second.index)].append(index)
            case .either(let members), .both(let members):
                for member in members { result[Int(member.index)].append(index) }
            case .repeated(let body, _, _), .complement(let body): result[Int(body.index)].append(index)
            case .rule(let rule): result[Int(rules[Int(rule.index)].index)].append(index)
            case .nothing, .empty, .bytes, .literal, .token, .remainder, .cut: break
            }
        }
        return result
    }

    /// A rule that begins with itself would have no derivative, and a long chain of beginnings a deep one.
    private func checkLeftRecursion() throws(GrammarError) {
        var state = [UInt8](repeating: 0, count: rules.count)
        var depths = [Int](repeating: 0, count: rules.count)
        for start in rules.indices where state[start] == 0 {
            // Depth first with an explicit stack: rule, its leftmost rules, and which of them is next.
            var path: [(rule: Int, leftmost: [Int], next: Int)] = [(start, leftmost(rules[start]), 0)]
            state[start] = 1
            while let top = path.last {
                guard top.next < top.leftmost.count else {
                    state[top.rule] = 2
                    path.removeLast()
                    continue
                }
                let next = top.leftmost[top.next]
                switch state[next] {
                case 0:
                    state[next] = 1
                    path.append((next, leftmost(rules[next]), 0))
                case 1:
                    throw .malformed(
                        what: "rule '\(ruleNames[next])'", expected: "something before it refers to itself",
                        found: "left recursion")
                default:
                    path[path.count - 1].next += 1
                    depths[top.rule] = max(depths[top.rule], depths[next] + 1)
                    guard depths[top.rule] <= limits.depth else {
                        throw .tooLarge(what: "rules that begin with one another", limit: limits.depth)
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    /// Rules with which a text of the term may begin.
    private func leftmost(_ term: Term) -> [Int] {
        var result: [Int] = []
        var pending = [term]
        var seen: Set<Term> = []
        while let term = pending.popLast() {
            guard seen.insert(term).inserted else { continue }
            work.spend(4)
            switch shape(term) {
            case .rule(let rule): result.append(Int(rule.index))
            case .sequence(let first, let second):
                pending.append(first)
                if matchesEmpty(first) { pending.append(second) }
            case .either(let members): pending += members
            case .repeated(let body, _, _): pending.append(body)
            default: break
            }
        }
        return result
    }

    // MARK: What is known

    func knownDerivative(_ key: UInt64) -> Term? { derivatives[key] }

    func note(_ derivative: Term, _ key: UInt64) {
        // What is forgotten is computed again.
        if derivatives.count >= Self.rememberedDerivatives { derivatives.removeAll(keepingCapacity: true) }
        derivatives[key] = derivative
    }

    private static let rememberedDerivatives = 100_000

    func noteAlive(_ term: Term, _ isAlive: Bool) { aliveness[term] = isAlive }
    func knownAlive(_ term: Term) -> Bool? { aliveness[term] }
}
