package import DSEngine

/// What requests cost: prices of tokens, or a machine's price by the time that it computed for them.
package enum CostModel: Sendable, Equatable {
    /// Per million tokens. Prompt tokens that a cache held have a price of their own.
    case tokens(prompt: Double, cached: Double, completion: Double)
    /// Of the whole machine, per hour.
    case machine(perHour: Double)

    /// The cost of one answer.
    /// - Parameter includesPrompt: false for all answers but one to the same prompt, which is charged once.
    package func cost(of result: GenerationResult, includesPrompt: Bool) -> Double {
        switch self {
        case .tokens(let prompt, let cached, let completion):
            let usage = result.usage
            let computed = includesPrompt ? usage.promptTokens - usage.cachedPromptTokens : 0
            let found = includesPrompt ? usage.cachedPromptTokens : 0
            return
                (Double(computed) * prompt + Double(found) * cached + Double(usage.completionTokens) * completion) / 1e6
        case .machine(let perHour): return result.timings.computeSeconds / 3600 * perHour
        }
    }
}
