/// Where prompts come from. A request's prompt follows from its number alone, so it does not depend on which client sends it.
package enum PromptSource: Sendable {
    /// These requests in turn.
    case list([PlannedRequest])
    case synthetic(SyntheticPrompts)

    package func request(_ index: Int) -> PlannedRequest {
        switch self {
        case .list(let requests): requests[index % requests.count]
        case .synthetic(let prompts): prompts.request(index)
        }
    }

    /// Whether no request begins as another does, so that a prefix cache can know none of them.
    package var sharesNothing: Bool {
        guard case .synthetic(let prompts) = self else { return false }
        return prompts.sharedPrefixTokens == 0
    }

    /// Throws where an endpoint cannot take what the source has.
    package func check(for endpoint: Endpoint) throws(LoadTestError) {
        guard endpoint == .completions, case .list(let requests) = self else { return }
        let isText = requests.allSatisfy { if case .text = $0.prompt { true } else { false } }
        guard isText else {
            throw .dataset("--dataset", line: nil, "expected prompts for --endpoint completions, found messages")
        }
    }

    /// The same requests in an order that follows from the seed.
    package func shuffled(seed: UInt64) -> PromptSource {
        guard case .list(let requests) = self else { return self }
        var generator = SeededGenerator(seed: seed)
        return .list(requests.shuffled(using: &generator))
    }
}
