/// The part of a page about all runs: how figures change with the load.
struct GrowthSection {
    let runs: [RunResult]

    var markup: String {
        guard runs.count > 1 else { return "" }
        return """
            <section><h2>How it grows</h2>
            <div class="grid2">
            \(throughput)
            \(latency("Time to first token", { $0.timeToFirstToken }))
            \(latency("Inter-token latency", { $0.interTokenLatency }))
            \(distributions)
            </div>
            \(Markup.card("All runs", "latencies in ms", style: "wide", Markup.table(Self.header, rows)))
            </section>
            """
    }

    private var loadName: String {
        if case .closed = runs[0].load { "concurrent requests" } else { "requests/s that arrive" }
    }

    private func points(_ value: (RunFigures) -> Double?) -> [(x: Double, y: Double)] {
        runs.compactMap { run in value(run.figures).map { (run.load.level, $0) } }.sorted { $0.x < $1.x }
    }

    private func chart(_ yName: String, _ yKind: ChartAxis.Kind, _ series: [Chart.Series]) -> String {
        var chart = Chart(xName: loadName, yName: yName, xKind: .logarithmic, yKind: yKind, series: series)
        chart.xTicks = runs.map(\.load.level)
        return chart.svg
    }

    private var throughput: String {
        let points = points { $0.outputTokensPerSecond }
        return Markup.card(
            "Throughput", "output tokens/s",
            chart("output tokens/s", .linear, [.init(name: "output", color: "c0", points: points, form: .marked)]))
    }

    private func latency(_ title: String, _ samples: (RunFigures) -> Distribution) -> String {
        let series = [(50.0, "c0"), (90, "c2"), (99, "c1")].map { percent, color in
            Chart.Series(
                name: "p\(Int(percent))", color: color,
                points: points { samples($0).percentile(percent).map { $0 * 1000 } }, form: .marked)
        }
        return Markup.card(title, "milliseconds", chart("milliseconds", .logarithmic, series))
    }

    private var distributions: String {
        // Six levels have colours of their own; of more, the ends and those between them evenly.
        let last = runs.count - 1
        let shown = runs.count <= 6 ? Array(runs.indices) : (0..<6).map { $0 * last / 5 }
        let series = shown.enumerated().compactMap { position, index -> Chart.Series? in
            let samples = runs[index].figures.timeToFirstToken
            guard !samples.isEmpty else { return nil }
            let color = shown.count == 1 ? 3 : position * 5 / (shown.count - 1)
            return Chart.Series(
                name: ChartAxis.label(runs[index].load.level), color: "q\(color)",
                points: RunSection.cumulativePoints(samples))
        }
        guard !series.isEmpty else { return "" }
        var chart = Chart(xName: "milliseconds", yName: "% of requests", xKind: .logarithmic, series: series)
        chart.yEnd = 100
        return Markup.card("Time to first token by load", "cumulative; a line per load (\(loadName))", chart.svg)
    }

    private static let header = [
        "load", "answers", "failed", "req/s", "output tok/s", "TTFT p50", "TTFT p99", "TPOT p50", "ITL p50", "ITL p99",
        "E2EL p50", "E2EL p99", "goodput /s",
    ]

    private var rows: [[String]] {
        runs.map { run in
            let figures = run.figures
            return [
                run.load.title, "\(figures.completed)", "\(figures.failed)", Figure.text(figures.requestsPerSecond),
                Figure.text(figures.outputTokensPerSecond), Figure.milliseconds(figures.timeToFirstToken.median),
                Figure.milliseconds(figures.timeToFirstToken.percentile(99)),
                Figure.milliseconds(figures.timePerOutputToken.median),
                Figure.milliseconds(figures.interTokenLatency.median),
                Figure.milliseconds(figures.interTokenLatency.percentile(99)),
                Figure.milliseconds(figures.latency.median), Figure.milliseconds(figures.latency.percentile(99)),
                Figure.text(figures.goodput),
            ]
        }
    }
}
