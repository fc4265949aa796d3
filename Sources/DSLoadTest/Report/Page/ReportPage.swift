import DSSupport

/// A report as one page that needs nothing else: no scripts, pictures as SVG in it.
package struct ReportPage: Sendable {
    let report: LoadReport
    let comparison: Comparison?

    package init(_ report: LoadReport, comparison: Comparison?) {
        self.report = report
        self.comparison = comparison
    }

    package var markup: String {
        let title = report.label == report.model ? report.model : "\(report.label): \(report.model)"
        return """
            <!DOCTYPE html>
            <html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>\(Markup.escaped(title)) under load</title>
            <style>\(PageStyle.text)</style></head>
            <body><main>
            <h1>\(Markup.escaped(title))</h1>
            <p class="lead">Load test of \(Markup.escaped(report.target))</p>
            \(GrowthSection(runs: report.runs).markup)
            \(comparison.map { ComparisonSection(comparison: $0).markup } ?? "")
            \(report.runs.map { RunSection(run: $0, serviceLevel: report.serviceLevel).markup }.joined(separator: "\n"))
            <section><h2>Settings</h2>
            \(Markup.card("What was asked", "", Markup.table(["", ""], settings, style: "words")))</section>
            <footer>\(Self.definitions)<p>deepseek loadtest \(Markup.escaped(report.version))</p></footer>
            </main></body></html>

            """
    }

    private var settings: [[String]] {
        report.settings.filter { !$0.value.isNull }.map { setting in
            [setting.name, setting.value.stringValue ?? setting.value.serializedString()]
        }
    }

    private static let definitions = """
        <p>Latencies run from the moment a request was due: in an open loop its arrival, whether or not earlier requests were \
        answered. The first token is the first event with text. TPOT is (E2EL - TTFT) / (output tokens - 1), ITL the gap \
        between neighbouring events with text. Percentiles are exact, linear between the two nearest samples. Failed requests \
        count in no latency and no throughput. Goodput counts answers that kept every limit.</p>
        """
}
