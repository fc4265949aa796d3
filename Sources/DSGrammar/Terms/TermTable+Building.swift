/// Constructors that keep terms in a normal form, so that equal languages mostly are equal terms.
extension TermTable {
    func literal(_ text: String) -> Term { addLiteral(Array(text.utf8)) }

    func bytes(_ set: ByteSet) -> Term { set.isEmpty ? .nothing : store(.bytes(set)) }

    func sequence(_ first: Term, _ second: Term) -> Term {
        if first == .nothing || second == .nothing { return .nothing }
        if first == .empty { return second }
        if second == .empty { return first }
        if isComplete, !isProductive(second) { return .nothing }
        guard case .sequence = shape(first) else { return store(.sequence(first, second)) }
        // The first's chain is put before the second, last link first.
        var links: [Term] = []
        var rest = first
        while case .sequence(let head, let tail) = shape(rest) {
            work.spend(2)
            links.append(head)
            rest = tail
        }
        var result = store(.sequence(rest, second))
        for link in links.reversed() { result = store(.sequence(link, result)) }
        return result
    }

    func sequence(_ parts: [Term]) -> Term {
        var result = Term.empty
        for part in parts.reversed() { result = sequence(part, result) }
        return result
    }

    func either(_ members: [Term]) -> Term {
        var flat: [Term] = []
        var pending = members
        var seen: Set<Term> = []
        while let term = pending.popLast() {
            work.spend(4)
            // The same alternatives may be reached on exponentially many ways.
            guard seen.insert(term).inserted else { continue }
            guard !work.isExhausted else { return .nothing }
            if case .either(let inner) = shape(term) {
                // Chains of optional parts stay as they were built: flattening each of them would cost their square.
                if isComplete || inner.count + flat.count < 8 {
                    pending += inner
                    continue
                }
            }
            if term == .nothing || isComplete && !isProductive(term) { continue }
            flat.append(term)
        }
        if flat.isEmpty { return .nothing }
        if flat.count == 1 { return flat[0] }
        flat.sort()
        return store(.either(flat))
    }

    func either(_ first: Term, _ second: Term) -> Term {
        if first == second || second == .nothing { return first }
        if first == .nothing { return second }
        return either([first, second])
    }

    func optional(_ term: Term) -> Term { either(term, .empty) }

    /// From `atLeast` to `atMost` texts of `body`, one after the other.
    func repeated(_ body: Term, _ atLeast: Int, _ atMost: Int?) -> Term {
        if let atMost, atMost < atLeast { return .nothing }
        if body == .nothing { return atLeast == 0 ? .empty : .nothing }
        if body == .empty || atMost == 0 { return .empty }
        if atLeast == 1, atMost == 1 { return body }
        // Of something that may be empty, fewer count as more.
        let least = isComplete && matchesEmpty(body) ? 0 : atLeast
        return store(.repeated(body, atLeast: Int32(clamping: least), more: atMost.map { Int32(clamping: $0 - least) }))
    }

    func both(_ members: [Term]) -> Term {
        var flat: [Term] = []
        for member in members {
            if member == .nothing { return .nothing }
            if case .both(let inner) = shape(member) { flat += inner } else { flat.append(member) }
        }
        work.spend(6 * flat.count)
        flat = Array(Set(flat)).sorted()
        if flat.count == 1 { return flat[0] }
        if flat.contains(.empty) { return flat.allSatisfy { matchesEmpty($0) } ? .empty : .nothing }
        return store(.both(flat))
    }

    func complement(_ member: Term) -> Term {
        if case .complement(let inner) = shape(member) { return inner }
        return store(.complement(member))
    }

    func reference(_ rule: Rule) -> Term { store(.rule(rule)) }
    func token(_ id: Int32) -> Term { store(.token(id)) }
    func cut() -> Term { store(.cut) }
    /// Digits that, appended to a number with this remainder, give a multiple of the divisor.
    func remainder(_ rest: Int64, divisor: Int64) -> Term { store(.remainder(rest, divisor: divisor)) }

    /// Any of these texts; common beginnings are shared, so that a long list costs no more than its letters.
    func anyLiteral(_ texts: [[UInt8]]) -> Term {
        work.spend(texts.reduce(0) { $0 + 16 + $1.count / 4 })
        var sorted = Array(Set(texts))
        sorted.sort { $0.lexicographicallyPrecedes($1) }
        return shared(sorted[...], from: 0)
    }

    private func shared(_ texts: ArraySlice<[UInt8]>, from offset: Int) -> Term {
        guard texts.count > 1, let first = texts.first, let last = texts.last else {
            return texts.first.map { addLiteral(Array($0.dropFirst(offset))) } ?? .nothing
        }
        // Of sorted texts, what the first and the last share, all share.
        let limit = min(first.count, last.count)
        var end = offset
        while end < limit, first[end] == last[end] { end += 1 }
        let prefix = addLiteral(Array(first[offset..<end]))
        var members: [Term] = []
        var start = texts.startIndex
        if first.count == end {
            members.append(.empty)
            start += 1
        }
        while start < texts.endIndex {
            var stop = start + 1
            while stop < texts.endIndex, texts[stop][end] == texts[start][end] { stop += 1 }
            members.append(shared(texts[start..<stop], from: end))
            start = stop
        }
        return sequence(prefix, either(members))
    }
}
