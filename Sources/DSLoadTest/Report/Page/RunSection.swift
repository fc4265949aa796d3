/// The part of a page about one run.
struct RunSection {
    let run: RunResult
    let serviceLevel: ServiceLevel?

    private var figures: RunFigures { run.figures }

    var markup: String {
        """
        <section><h2>\(Markup.escaped(run.load.title))</h2>
        <p class="lead">\(Markup.escaped(summary))</p>
        <div class="tiles">\(tiles)</div>
        \(failures)\(notes)
        <div class="grid2">
        \(cumulative("Time to first token", figures.timeToFirstToken, .ttft))
        \(cumulative("Inter-token latency", figures.interTokenLatency, nil))
        \(overTime)
        \(inFlight)
        </div>
        \(timeline)
        <div class="grid2 wide">
        \(Markup.card("Requests and throughput", "", Markup.table(["", ""], throughputRows)))
        \(Markup.card("Latency, ms", latencySubtitle, Markup.table(Self.latencyHeader, latencyRows)))
        </div></section>
        """
    }

    private var summary: String {
        var text = "\(figures.completed) answers in \(Figure.text(figures.seconds)) s"
        if run.steady != nil { text += " (steady state, of \(Figure.text(run.whole.seconds)) s in all)" }
        if figures.failed > 0 { text += ", \(figures.failed) failed" }
        return text
    }

    private var tiles: String {
        var tiles: [(name: String, value: String, unit: String)] = [
            ("output throughput", Figure.text(figures.outputTokensPerSecond), "tokens/s"),
            ("requests", Figure.text(figures.requestsPerSecond), "/s"),
            ("TTFT, median", Figure.milliseconds(figures.timeToFirstToken.median), "ms"),
            ("TTFT, p99", Figure.milliseconds(figures.timeToFirstToken.percentile(99)), "ms"),
            ("ITL, median", Figure.milliseconds(figures.interTokenLatency.median), "ms"),
            ("ITL, p99", Figure.milliseconds(figures.interTokenLatency.percentile(99)), "ms"),
        ]
        if let goodput = figures.goodput, let fraction = figures.goodFraction {
            tiles.append(("goodput (\(Figure.text(100 * fraction, digits: 1)) %)", Figure.text(goodput), "/s"))
        }
        return tiles.map {
            "<div class=\"tile\"><b>\($0.value) <small>\($0.unit)</small></b><span>\(Markup.escaped($0.name))</span></div>"
        }.joined()
    }

    private var failures: String {
        guard !run.failures.isEmpty else { return "" }
        let rows = run.failures.map { [$0.kind.label, "\($0.count)", $0.message] }
        return Markup.card(
            "\(run.whole.failed) of \(run.records.count) requests failed", "with the first message of each kind",
            Markup.table(["kind", "requests", "message"], rows, style: "words"))
    }

    private var notes: String {
        guard !run.notes.isEmpty else { return "" }
        return "<ul class=\"notes\">" + run.notes.map { "<li>\(Markup.escaped($0))</li>" }.joined() + "</ul>"
    }

    /// The share of samples at or below each latency.
    private func cumulative(_ title: String, _ samples: Distribution, _ metric: ServiceLevel.Metric?) -> String {
        guard !samples.isEmpty else {
            return Markup.card(title, "no samples: nothing was streamed", "")
        }
        var chart = Chart(
            xName: "milliseconds", yName: "% of samples", xKind: .logarithmic,
            series: [.init(name: title, color: "c0", points: Self.cumulativePoints(samples))])
        chart.yEnd = 100
        for percent in [50, 99] {
            guard let value = samples.percentile(Double(percent)) else { continue }
            chart.markers.append(Chart.Marker(x: value * 1000, name: "p\(percent) \(Figure.milliseconds(value))"))
        }
        if let bound = serviceLevel?.bounds.first(where: { $0.metric == metric })?.milliseconds, bound > 0 {
            chart.markers.append(Chart.Marker(x: bound, name: "limit \(Figure.text(bound))", isBound: true))
        }
        return Markup.card(title, "cumulative, \(Figure.grouped(samples.count)) samples", chart.svg)
    }

    static func cumulativePoints(_ samples: Distribution) -> [(x: Double, y: Double)] {
        (0...200).compactMap { step in
            // Logarithmic axes have no 0; a thousandth of a millisecond is one to every reader.
            samples.percentile(Double(step) / 2).map { (max($0 * 1000, 0.001), Double(step) / 2) }
        }
    }

    private var overTime: String {
        Markup.card(
            "Throughput over time", "output tokens/s in slices of \(Figure.text(run.series.width)) s",
            Chart(
                xName: "seconds since the run began", yName: "output tokens/s",
                series: [steps("tokens/s", "c0", run.series.outputTokensPerSecond)]
            ).svg)
    }

    private var inFlight: String {
        Markup.card(
            "Requests under way", "at most \(run.series.maximumInFlight) at a time",
            Chart(
                xName: "seconds since the run began", yName: "requests",
                series: [steps("requests", "c2", run.series.inFlight)]
            ).svg)
    }

    private func steps(_ name: String, _ color: String, _ values: [Double]) -> Chart.Series {
        var points = values.enumerated().map { (x: Double($0.offset) * run.series.width, y: $0.element) }
        if let last = values.last { points.append((Double(values.count) * run.series.width, last)) }
        return Chart.Series(name: name, color: color, points: points, form: .steps)
    }

    private var timeline: String {
        let timeline = RequestTimeline(records: run.records)
        let drawn = timeline.rows.count
        let keys = """
            <p class="keys"><span><i style="background:var(--q0)"></i>waiting for the first token</span>\
            <span><i style="background:var(--c0)"></i>generating</span>\
            <span><i style="background:var(--bad)"></i>failed</span></p>
            """
        return Markup.card(
            "Requests over time",
            drawn < run.records.count
                ? "\(drawn) of \(run.records.count) requests, evenly chosen" : "a row per request",
            style: "wide", keys + timeline.svg)
    }
}

/// The tables, as `vllm bench serve` prints them.
extension RunSection {
    private var throughputRows: [[String]] { RunTable.rows(run).map { [$0.name, $0.value] } }

    private static let latencyHeader = ["", "mean", "std", "min", "p50", "p90", "p95", "p99", "max"]

    private var latencySubtitle: String {
        "TTFT time to first token, TPOT time per output token after the first, ITL gap between events, E2EL whole answer"
    }

    private var latencyRows: [[String]] {
        figures.distributions.map { name, samples in
            let middle = [50, 90, 95, 99].map { Figure.milliseconds(samples.percentile($0)) }
            let spread = [samples.mean, samples.standardDeviation, samples.minimum].map { Figure.milliseconds($0) }
            return [name.uppercased()] + spread + middle + [Figure.milliseconds(samples.maximum)]
        }
    }
}
