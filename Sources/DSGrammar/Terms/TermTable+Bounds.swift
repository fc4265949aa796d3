/// Counts that are out of reach of a single token.
extension TermTable {
    /// A term that allows the same texts of fewer than `reach` bytes to come next, with counts above `reach` cut to it: of
    /// strings of 500 and of 499 letters, the next token sees the same.
    func bounded(_ term: Term, _ reach: Int32) -> Term {
        // Not into intersections: with fewer repetitions they could be empty.
        // Parts may be reached on exponentially many ways: what is not looked at any more stays as it is, which costs a mask.
        var visits = 2048
        return bounded(term, reach, links: 4, &visits)
    }

    private func bounded(_ term: Term, _ reach: Int32, links: Int, _ visits: inout Int) -> Term {
        work.spend(4)
        visits -= 1
        guard visits > 0 else { return term }
        switch shape(term) {
        case .repeated(let body, let atLeast, let more):
            guard !matchesEmpty(body), atLeast > reach || more ?? 0 > reach else { return term }
            let least = min(atLeast, reach)
            let most = more.map { Int(min(atLeast, reach)) + Int(min($0, reach)) }
            return repeated(body, Int(least), most)
        case .sequence(let head, let tail):
            let first = bounded(head, reach, links: 0, &visits)
            let rest = links > 0 ? bounded(tail, reach, links: links - 1, &visits) : tail
            return first == head && rest == tail ? term : sequence(first, rest)
        case .either(let members) where members.count <= 64:
            // Chains of optional parts are alternatives inside each other.
            let results = members.map { member in
                guard case .either = shape(member) else { return bounded(member, reach, links: links, &visits) }
                return links > 0 ? bounded(member, reach, links: links - 1, &visits) : member
            }
            return results == members ? term : either(results)
        default: return term
        }
    }
}
