import DSLoadTest

/// A load test's results for a terminal.
enum LoadTestTables {
    static func text(_ report: LoadReport, seed: UInt64, comparison: Comparison?) -> String {
        var parts = ["seed \(seed): --seed \(seed) repeats the synthetic prompts, arrivals and shuffling"]
        parts += report.runs.map { run($0) }
        if report.runs.count > 1 { parts.append(growth(report.runs)) }
        if let comparison { parts.append(ratios(comparison)) }
        return parts.joined(separator: "\n\n")
    }

    private static func run(_ run: RunResult) -> String {
        let figures = run.figures
        var parts = [
            Terminal.styled(run.load.title + (run.steady == nil ? "" : ", steady state"), .bold)
        ]
        let counts = RunTable.rows(run)
        let width = counts.map(\.value.displayWidth).max() ?? 0
        parts.append(
            counts.map { row in
                let name = row.name + String(repeating: " ", count: max(1, 36 - row.name.displayWidth))
                return name + String(repeating: " ", count: width - row.value.displayWidth) + row.value
            }.joined(separator: "\n"))
        var table = TextTable([
            ("ms", .left), ("mean", .right), ("p50", .right), ("p90", .right), ("p95", .right), ("p99", .right),
            ("max", .right), ("samples", .right),
        ])
        for (name, samples) in figures.distributions {
            let middle = [50, 90, 95, 99].map { Figure.milliseconds(samples.percentile($0)) }
            let ends = [Figure.milliseconds(samples.maximum), Figure.grouped(samples.count)]
            table.add([name.uppercased(), Figure.milliseconds(samples.mean)] + middle + ends)
        }
        parts.append(table.text)
        for failure in run.failures {
            parts.append(Terminal.styled("\(failure.count) × \(failure.kind.label): \(failure.message)", .red))
        }
        parts += run.notes.map { "note: \($0)" }
        return parts.joined(separator: "\n")
    }

    private static func growth(_ runs: [RunResult]) -> String {
        var table = TextTable([
            ("load", .left), ("failed", .right), ("req/s", .right), ("output tok/s", .right), ("TTFT p50", .right),
            ("TTFT p99", .right), ("TPOT p50", .right), ("ITL p50", .right), ("ITL p99", .right), ("E2EL p99", .right),
            ("goodput /s", .right),
        ])
        for run in runs {
            let figures = run.figures
            table.add([
                run.load.title, "\(figures.failed)", Figure.text(figures.requestsPerSecond),
                Figure.text(figures.outputTokensPerSecond), Figure.milliseconds(figures.timeToFirstToken.median),
                Figure.milliseconds(figures.timeToFirstToken.percentile(99)),
                Figure.milliseconds(figures.timePerOutputToken.median),
                Figure.milliseconds(figures.interTokenLatency.median),
                Figure.milliseconds(figures.interTokenLatency.percentile(99)),
                Figure.milliseconds(figures.latency.percentile(99)), Figure.text(figures.goodput),
            ])
        }
        return table.text
    }

    private static func ratios(_ comparison: Comparison) -> String {
        var table = TextTable([
            ("load", .left), ("figure", .left), (comparison.label, .right), (comparison.otherLabel, .right),
            ("ratio", .right),
        ])
        for row in comparison.rows {
            table.add([
                row.load, "\(row.name), \(row.unit)", Figure.text(row.ours), Figure.text(row.other),
                row.ratio.map { Figure.text($0, digits: 2) } ?? "-",
            ])
        }
        return ([table.text] + comparison.unmatched).joined(separator: "\n")
    }
}
