/// The automaton of one grammar, built where texts lead, and the masks of its states over one vocabulary.
///
/// State numbers stay valid for as long as it lives. Not thread-safe: `CompiledGrammar` guards it.
struct GrammarAutomaton: ~Copyable {
    typealias State = Int32

    static let dead: State = 0
    private static let unknown: State = -1

    private let table: TermTable
    private let vocabulary: GrammarVocabulary
    private var terms: [Term] = [.nothing]
    private var stateOfTerm: [Term: State] = [.nothing: 0]
    /// Successors by state and class of bytes.
    private var successors: UnsafeMutablePointer<State>
    private var capacity = 64
    private let width: Int
    private let classes: [UInt8]
    /// States on the way down the tree of tokens.
    private let path: UnsafeMutablePointer<State>
    private var masks: [State: [UInt64]] = [:]
    /// Bytes of the masks that were computed since some were forgotten last.
    private var maskBytes = 0
    private var representatives: [State: State] = [:]
    private(set) var walks = 0
    /// Steps of work that compiling took, and the question that took most.
    let compileWork: Int
    private(set) var largestWork = 0
    /// Steps that the next questions may take.
    private var credit: Int
    private let controlTokens: [Int32]
    let start: State

    init(_ completed: TermTable, start term: Term, vocabulary: GrammarVocabulary) {
        table = completed
        compileWork = completed.work.spent
        credit = completed.limits.stepWork
        self.vocabulary = vocabulary
        width = table.classes.count
        classes = table.classes.classes
        successors = .allocate(capacity: capacity * width)
        successors.initialize(repeating: Self.unknown, count: capacity * width)
        successors.update(repeating: Self.dead, count: width)
        path = .allocate(capacity: vocabulary.trie.depth + 2)
        path.initialize(repeating: 0, count: vocabulary.trie.depth + 2)
        var named: Set<Int32> = []
        for shape in table.shapes {
            if case .token(let id) = shape, (0..<vocabulary.count).contains(Int(id)) { named.insert(id) }
        }
        controlTokens = named.sorted()
        start = 1
        terms.append(term)
        stateOfTerm[term] = 1
    }

    deinit {
        successors.deallocate()
        path.deallocate()
    }

    var failure: GrammarError? { table.failure }
    var stateCount: Int { terms.count }
    var termCount: Int { table.count }
    var classCount: Int { width }
    var maskCount: Int { masks.count }

    /// What it holds, by the sizes of its entries.
    var byteCount: Int {
        table.byteCount + capacity * width * MemoryLayout<State>.stride + terms.count * 64 + maskBytes
            + masks.count * 32
    }

    /// Texts have led so far that little room is left.
    var isNearlyFull: Bool {
        table.count >= table.limits.terms
            || 2 * capacity * width * MemoryLayout<State>.stride > table.limits.stateBytes
    }

    // MARK: Work

    /// A question begins. An unbounded one is none of a request's.
    mutating func begin(isBounded: Bool) {
        let limit = table.limits.stepWork
        credit = min(limit, credit + limit / 16)
        table.allow(isBounded ? credit : .max)
    }

    mutating func finish(isBounded: Bool) {
        guard isBounded else { return }
        largestWork = max(largestWork, table.work.spent)
        credit = max(0, credit - table.work.spent)
    }

    // MARK: Steps

    private mutating func state(of term: Term) -> State {
        if let state = stateOfTerm[term] { return state }
        let state = State(terms.count)
        if terms.count == capacity {
            guard 2 * capacity * width * MemoryLayout<State>.stride <= table.limits.stateBytes else {
                table.fail(.tooLarge(what: "bytes of states that texts led to", limit: table.limits.stateBytes))
                return Self.dead
            }
            let larger = UnsafeMutablePointer<State>.allocate(capacity: 2 * capacity * width)
            larger.moveInitialize(from: successors, count: capacity * width)
            (larger + capacity * width).initialize(repeating: Self.unknown, count: capacity * width)
            successors.deallocate()
            successors = larger
            capacity *= 2
        }
        terms.append(term)
        stateOfTerm[term] = state
        return state
    }

    private mutating func compute(_ state: State, _ byte: UInt8) -> State {
        let result = self.state(of: table.derivative(terms[Int(state)], byte))
        // What has failed is asked again.
        guard !table.hasFailed else { return Self.dead }
        successors[Int(state) * width + Int(classes[Int(byte)])] = result
        return result
    }

    /// The state after a byte.
    mutating func step(_ state: State, _ byte: UInt8) -> State {
        let next = successors[Int(state) * width + Int(classes[Int(byte)])]
        return next == Self.unknown ? compute(state, byte) : next
    }

    /// The state after a control token.
    mutating func step(_ state: State, control token: Int32) -> State {
        self.state(of: table.derivative(terms[Int(state)], .token(token)))
    }

    /// Whether the text read so far is complete.
    func isComplete(_ state: State) -> Bool { table.matchesEmpty(terms[Int(state)]) }

    /// Whether nothing may follow: no byte and no control token.
    mutating func isFinal(_ state: State) -> Bool {
        for byte in table.classes.representatives where step(state, byte) != Self.dead { return false }
        return !controlTokens.contains { step(state, control: $0) != Self.dead }
    }

    /// The shortest text that completes one, found breadth first; nil if more than `limit` states were looked at.
    mutating func completion(_ state: State, limit: Int) -> [UInt8]? {
        var origins: [State: (state: State, byte: UInt8)] = [:]
        var queue = [state]
        var next = 0
        while next < queue.count, queue.count < limit {
            let current = queue[next]
            next += 1
            if isComplete(current) {
                var text: [UInt8] = []
                var place = current
                while place != state, let origin = origins[place] {
                    text.append(origin.byte)
                    place = origin.state
                }
                return text.reversed()
            }
            for byte in table.classes.representatives {
                let following = step(current, byte)
                guard following != Self.dead, following != state, origins[following] == nil else { continue }
                origins[following] = (current, byte)
                queue.append(following)
            }
        }
        return nil
    }

    // MARK: Masks

    /// The tokens that may follow, ends among them exactly where the text is complete.
    mutating func mask(_ state: State) -> [UInt64] {
        if let mask = masks[state] { return mask }
        let representative = self.representative(state)
        if representative != state, let mask = masks[representative] {
            masks[state] = mask
            return mask
        }
        let mask = walk(representative)
        guard !table.hasFailed else { return mask }
        if maskBytes > table.limits.maskBytes {
            masks.removeAll()
            maskBytes = 0
        }
        maskBytes += mask.count * MemoryLayout<UInt64>.stride
        masks[representative] = mask
        masks[state] = mask
        return mask
    }

    /// A state with the same mask: counts that no single token can use up are all alike.
    private mutating func representative(_ state: State) -> State {
        if let known = representatives[state] { return known }
        let result = self.state(of: table.bounded(terms[Int(state)], Int32(clamping: vocabulary.trie.depth + 1)))
        if !table.hasFailed { representatives[state] = result }
        return result
    }

    private mutating func walk(_ state: State) -> [UInt64] {
        walks += 1
        var mask = TokenMask(count: vocabulary.count)
        mark(from: state, in: &mask)
        for (first, other) in vocabulary.trie.twins where mask.contains(first) { mask.insert(other) }
        for token in controlTokens where step(state, control: token) != Self.dead { mask.insert(token) }
        if isComplete(state) { for token in vocabulary.endTokens { mask.insert(token) } }
        return mask.words
    }

    /// Down the tree of tokens, past each subtree whose first byte leads nowhere.
    private mutating func mark(from state: State, in mask: inout TokenMask) {
        let nodes = vocabulary.trie.nodes
        let classes = classes
        path[0] = state
        var index = 0
        while index < nodes.count {
            let node = nodes[index]
            let depth = Int(node.depth)
            let state = path[depth]
            var next = successors[Int(state) * width + Int(classes[Int(node.byte)])]
            if next == Self.unknown {
                next = compute(state, node.byte)
                if table.hasFailed { return }
            }
            guard next != Self.dead else {
                index = Int(node.next)
                continue
            }
            path[depth + 1] = next
            if node.token >= 0 { mask.insert(node.token) }
            index += 1
        }
    }
}
