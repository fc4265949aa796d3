import ArgumentParser

/// Requests of different lengths, as `--mixed` names them: prompt tokens and output tokens of each.
struct MixedLengths: ExpressibleByArgument {
    struct Request: Equatable {
        let prompt: Int
        let output: Int
    }

    let requests: [Request]

    init(_ requests: [Request]) { self.requests = requests }

    /// `PROMPT:OUTPUT,PROMPT:OUTPUT,…`, all of them at least 1.
    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        requests = parts.compactMap { part in
            let numbers = part.split(separator: ":", omittingEmptySubsequences: false).compactMap { Int($0) }
            guard numbers.count == 2, numbers.allSatisfy({ (1...Limits.tokens).contains($0) }) else { return nil }
            return Request(prompt: numbers[0], output: numbers[1])
        }
        guard requests.count == parts.count, !requests.isEmpty else { return nil }
    }

    /// The same requests as a batch that is padded has them: every one as long as the longest.
    var padded: MixedLengths {
        let longest = Request(
            prompt: requests.map(\.prompt).max() ?? 0, output: requests.map(\.output).max() ?? 0)
        return MixedLengths(Array(repeating: longest, count: requests.count))
    }

    /// Tokens that somebody asked for.
    var tokens: Int { requests.reduce(0) { $0 + $1.prompt + $1.output } }

    /// Tokens of the longest request.
    var context: Int { requests.map { $0.prompt + $0.output }.max() ?? 0 }
}
