/// What may come after a byte or a token.
extension TermTable {
    /// The derivative by a byte.
    func derivative(_ term: Term, _ byte: UInt8) -> Term { derivative(term, .byte(byte)) }

    enum Input: Equatable {
        case byte(UInt8)
        case token(Int32)
    }

    func derivative(_ term: Term, _ input: Input) -> Term {
        work.spend(1)
        guard !hasFailed, isProductive(term) else { return .nothing }
        switch shape(term) {
        case .nothing, .empty: return .nothing
        case .bytes(let set):
            if case .byte(let byte) = input, set.contains(byte) { return .empty }
            return .nothing
        case .literal(let start, let end):
            guard case .byte(let byte) = input, text[Int(start)] == byte else { return .nothing }
            return start + 1 == end ? .empty : store(.literal(start: start + 1, end: end))
        case .token(let id): return input == .token(id) ? .empty : .nothing
        case .cut: return term
        case .remainder(let rest, let divisor):
            guard case .byte(let byte) = input, (0x30...0x39).contains(byte) else { return .nothing }
            return remainder((rest * 10 + Int64(byte - 0x30)) % divisor, divisor: divisor)
        case .rule(let rule): return remembered(term, input) { derivative(rules[Int(rule.index)], input) }
        case .sequence(let head, let tail):
            guard matchesEmpty(head) else {
                // The head's derivative is remembered if that is worth it.
                let result = nested { sequence(derivative(head, input), tail) }
                return isProductive(result) ? result : .nothing
            }
            return remembered(term, input) { sequenceDerivative(term, input) }
        case .either(let members): return remembered(term, input) { eitherDerivative(members, input) }
        case .repeated(let body, let atLeast, let more):
            return remembered(term, input) {
                let first = derivative(body, input)
                guard first != .nothing else { return .nothing }
                return sequence(first, oneLess(body, atLeast, more))
            }
        case .both, .complement: return regularDerivative(term, input)
        }
    }

    private func remembered(_ term: Term, _ input: Input, _ compute: () -> Term) -> Term {
        work.spend(4)
        let number: UInt64 =
            switch input {
            case .byte(let byte): UInt64(classes.classes[Int(byte)])
            case .token(let id): 256 + UInt64(UInt32(bitPattern: id))
            }
        // INVARIANT: numbers of terms and tokens take 31 bits each.
        let key = UInt64(UInt32(bitPattern: term.index)) << 32 | number
        if let known = knownDerivative(key) { return known }
        let result = nested(compute)
        if !hasFailed { note(result, key) }
        return result
    }

    private func nested(_ compute: () -> Term) -> Term {
        guard recursion < limits.recursion else {
            fail(.tooLarge(what: "parts of the grammar that begin with one another", limit: limits.recursion))
            return .nothing
        }
        recursion += 1
        defer { recursion -= 1 }
        return compute()
    }

    private func oneLess(_ body: Term, _ atLeast: Int32, _ more: Int32?) -> Term {
        let least = matchesEmpty(body) ? 0 : max(0, Int(atLeast) - 1)
        let most = more.map { Int(atLeast) + Int($0) - 1 }
        return repeated(body, least, most)
    }

    /// Along the chain as long as its heads may be empty.
    private func sequenceDerivative(_ term: Term, _ input: Input) -> Term {
        var results: [Term] = []
        var rest = term
        while case .sequence(let head, let tail) = shape(rest) {
            work.spend(2)
            let first = derivative(head, input)
            if first != .nothing { results.append(sequence(first, tail)) }
            rest = tail
            guard matchesEmpty(head) else { return either(results) }
        }
        let last = derivative(rest, input)
        if last != .nothing { results.append(last) }
        return results.count == 1 ? results[0] : either(results)
    }

    private func eitherDerivative(_ members: [Term], _ input: Input) -> Term {
        var results: [Term] = []
        var pending = members
        var seen: Set<Term> = []
        while let member = pending.popLast() {
            if case .either(let inner) = shape(member) {
                if seen.insert(member).inserted { pending += inner }
                continue
            }
            let result = derivative(member, input)
            if result != .nothing { results.append(result) }
        }
        return results.count == 1 ? results[0] : either(results)
    }

    // MARK: Intersections and complements

    /// `nothing` if no text can follow any more, which an intersection does not show by its shape.
    private func regularDerivative(_ term: Term, _ input: Input) -> Term {
        let result = rawDerivative(term, input)
        return result == .nothing || isAlive(result) ? result : .nothing
    }

    private func rawDerivative(_ term: Term, _ input: Input) -> Term {
        switch shape(term) {
        case .both(let members):
            return remembered(term, input) {
                var results: [Term] = []
                for member in members {
                    let result = rawDerivative(member, input)
                    if result == .nothing { return .nothing }
                    results.append(result)
                }
                return both(results)
            }
        case .complement(let member):
            guard case .byte = input else { return .nothing }
            return nested { complement(rawDerivative(member, input)) }
        default: return derivative(term, input)
        }
    }

    /// Whether any text belongs to a term without rules. Looks for one, breadth first, and remembers what it saw.
    func isAlive(_ term: Term) -> Bool {
        guard isIntersecting(term) else { return isProductive(term) }
        guard !hasFailed else { return false }
        if let known = knownAlive(term) { return known }
        var queue = [term]
        var origins: [Term: Term] = [term: term]
        var next = 0
        while next < queue.count {
            let state = queue[next]
            next += 1
            if matchesEmpty(state) || knownAlive(state) == true {
                markAlive(state, origins)
                return true
            }
            guard queue.count < limits.searchStates else {
                fail(.tooLarge(what: "states of an intersection of patterns", limit: limits.searchStates))
                return false
            }
            for byte in classes.representatives {
                work.spend(4)
                let result = rawDerivative(state, .byte(byte))
                // What has failed looks like nothing, and its complement like everything.
                guard !hasFailed else { return false }
                if result != .nothing, origins[result] == nil, knownAlive(result) != false {
                    origins[result] = state
                    queue.append(result)
                }
            }
        }
        for state in queue { noteAlive(state, false) }
        return false
    }

    private func markAlive(_ found: Term, _ origins: [Term: Term]) {
        var state = found
        while let origin = origins[state] {
            noteAlive(state, true)
            if origin == state { return }
            state = origin
        }
    }
}
