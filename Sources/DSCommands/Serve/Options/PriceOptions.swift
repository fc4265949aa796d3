import ArgumentParser
import DSServing

/// What requests are charged; without any of these options nothing speaks of costs.
struct PriceOptions: ParsableArguments {
    @Option(help: "Price of a million prompt tokens that had to be computed.")
    var pricePerMillionPromptTokens: Double?
    @Option(help: "Price of a million prompt tokens that a cache held (default: that of the others).")
    var pricePerMillionCachedTokens: Double?
    @Option(help: "Price of a million generated tokens.")
    var pricePerMillionCompletionTokens: Double?
    @Option(help: "Price of this machine per hour; requests pay for the time that it computes for them.")
    var costPerHour: Double?

    func model() throws -> CostModel? {
        let prices = [
            ("--price-per-million-prompt-tokens", pricePerMillionPromptTokens),
            ("--price-per-million-cached-tokens", pricePerMillionCachedTokens),
            ("--price-per-million-completion-tokens", pricePerMillionCompletionTokens),
        ]
        for (option, price) in prices + [("--cost-per-hour", costPerHour)] {
            if let price, !price.isFinite || price < 0 {
                throw ValidationError("\(option): expected a price of at least 0, found \(price)")
            }
        }
        guard let costPerHour else {
            guard prices.contains(where: { $0.1 != nil }) else { return nil }
            let prompt = pricePerMillionPromptTokens ?? 0
            return .tokens(
                prompt: prompt, cached: pricePerMillionCachedTokens ?? prompt,
                completion: pricePerMillionCompletionTokens ?? 0)
        }
        if let (option, _) = prices.first(where: { $0.1 != nil }) {
            throw ValidationError("\(option): expected either prices of tokens or --cost-per-hour, found both")
        }
        return .machine(perHour: costPerHour)
    }
}
