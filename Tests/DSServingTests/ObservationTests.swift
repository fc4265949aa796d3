import DSEngine
import DSServing
import DSSupport
import Testing

@Suite("Observation") struct ObservationTests {
    private func result(computed seconds: Double = 0) -> GenerationResult {
        var timings = RequestTimings()
        timings.computeSeconds = seconds
        let usage = TokenUsage(promptTokens: 1000, completionTokens: 200, cachedPromptTokens: 600)
        return GenerationResult(reason: .length, usage: usage, timings: timings)
    }

    @Test func tokensHavePrices() {
        let prices = CostModel.tokens(prompt: 2, cached: 0.5, completion: 10)
        // 400 x 2 + 600 x 0.5 + 200 x 10, per million.
        #expect(abs(prices.cost(of: result(), includesPrompt: true) - 0.0031) < 1e-15)
        #expect(abs(prices.cost(of: result(), includesPrompt: false) - 0.002) < 1e-15)
    }

    @Test func machinesArePaidByTheHour() {
        #expect(CostModel.machine(perHour: 7.2).cost(of: result(computed: 1.5), includesPrompt: false) == 0.003)
    }

    @Test func costsArePartOfTheUsageOnlyWithPrices() {
        #expect(result().usage.json["cost"] == nil)
        var usage = result().usage
        usage.cost = 0.25
        #expect(usage.json["cost"] == 0.25)
        #expect(TokenUsage.total([usage, usage]).cost == 0.5)
    }
}
