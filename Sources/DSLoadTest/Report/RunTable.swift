/// The counts and rates of a run under the names that `vllm bench serve` prints.
package enum RunTable {
    package static func rows(_ run: RunResult) -> [(name: String, value: String)] {
        let figures = run.figures
        var rows: [(name: String, value: String)] = [
            ("Successful requests", Figure.grouped(figures.completed)),
            ("Failed requests", Figure.grouped(figures.failed)),
            ("Benchmark duration (s)", Figure.text(figures.seconds)),
            ("Total input tokens", figures.inputTokens.map(Figure.grouped) ?? "-"),
        ]
        if let cached = figures.cachedTokens { rows.append(("Cached input tokens", Figure.grouped(cached))) }
        if let mean = figures.promptLengths.mean, let least = figures.promptLengths.minimum,
            let most = figures.promptLengths.maximum
        {
            let range = least < most ? " (\(Figure.grouped(Int(least)))…\(Figure.grouped(Int(most))))" : ""
            rows.append(("Input tokens per request", Figure.text(mean) + range))
        }
        rows += [
            ("Total generated tokens", Figure.grouped(Int(figures.outputTokens.rounded()))),
            ("Request throughput (req/s)", Figure.text(figures.requestsPerSecond)),
        ]
        if let goodput = figures.goodput { rows.append(("Request goodput (req/s)", Figure.text(goodput))) }
        rows += [
            ("Output token throughput (tok/s)", Figure.text(figures.outputTokensPerSecond)),
            ("Total token throughput (tok/s)", Figure.text(figures.totalTokensPerSecond)),
            ("Peak concurrent requests", Figure.grouped(run.series.maximumInFlight)),
            (
                "Client's processors used",
                Figure.text(run.client.seconds > 0 ? run.client.processorSeconds / run.client.seconds : 0)
            ),
        ]
        return rows
    }
}
