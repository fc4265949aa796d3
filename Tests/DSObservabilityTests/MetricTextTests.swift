import DSObservability
import DSSupport
import Testing

@Suite("Metric pages") struct MetricTextTests {
    private func page() -> MetricPage {
        var page = MetricPage()
        page.counter("requests", "Requests\nof \"all\" kinds \\.", ["path": "a\"b\\c\nd"], 3)
        page.gauge("depth", "Depth.", [:], 1.5)
        var histogram = Histogram(bounds: [0.5, 1])
        for value in [0.1, 0.5, 0.7, 9] { histogram.observe(value) }
        page.histogram("time_seconds", "Time.", ["model": "m"], histogram)
        return page
    }

    @Test func prometheus() {
        let expected = #"""
            # HELP requests_total Requests\nof "all" kinds \\.
            # TYPE requests_total counter
            requests_total{path="a\"b\\c\nd"} 3.0
            # HELP depth Depth.
            # TYPE depth gauge
            depth 1.5
            # HELP time_seconds Time.
            # TYPE time_seconds histogram
            time_seconds_bucket{model="m",le="0.5"} 2.0
            time_seconds_bucket{model="m",le="1.0"} 3.0
            time_seconds_bucket{model="m",le="+Inf"} 4.0
            time_seconds_sum{model="m"} 10.3
            time_seconds_count{model="m"} 4.0

            """#
        #expect(MetricText.write(page(), as: .prometheus) == expected)
    }

    @Test func openMetricsNamesCountersWithoutTheirEnding() {
        let text = MetricText.write(page(), as: .openMetrics)
        #expect(text.contains("# TYPE requests counter\nrequests_total{"))
        #expect(text.contains(#"# HELP requests Requests\nof \"all\" kinds"#))
        #expect(text.hasSuffix("# EOF\n"))
    }

    @Test func samplesOfTheSameNameComeTogether() {
        var page = MetricPage()
        for model in ["a", "b"] {
            page.gauge("x", "X.", ["model": model], 1)
            page.gauge("y", "Y.", ["model": model], 2)
        }
        let lines = MetricText.write(page, as: .prometheus).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.map { $0.prefix(1) } == ["x", "x", "y", "y"])
    }

    @Test(arguments: [
        (0.001, "0.001"), (1, "1.0"), (7680, "7680.0"), (500_000, "500000.0"), (1_000_000, "1e+06"),
        (2_500_000, "2.5e+06"), (10_000_000, "1e+07"), (.infinity, "+Inf"),
    ])
    func bounds(value: Double, text: String) { #expect(MetricNumber.bound(value) == text) }

    @Test(arguments: [
        (nil, MetricFormat.prometheus), ("*/*", .prometheus), ("text/plain", .prometheus),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            .openMetrics
        ),
        ("text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.2", .prometheus),
        ("application/openmetrics-text;q=0", .prometheus), ("nonsense,,;;", .prometheus),
    ])
    func accepts(header: String?, format: MetricFormat) { #expect(MetricFormat(accept: header) == format) }
}

@Suite("Histograms") struct HistogramTests {
    @Test func boundsAreInclusive() {
        var histogram = Histogram(bounds: [1, 2, 5])
        for value in [0, 1, 1.0001, 2, 5, 5.1] { histogram.observe(value) }
        #expect(histogram.counts == [2, 2, 1, 1])
        #expect(histogram.count == 6)
        #expect(abs(histogram.sum - 14.1001) < 1e-12)
    }

    @Test(arguments: [(0, []), (1, [1]), (9, [1, 2, 5]), (100, [1, 2, 5, 10, 20, 50, 100])] as [(Int, [Double])])
    func decades(limit: Int, bounds: [Double]) { #expect(Histogram.decades(upTo: limit) == bounds) }

    @Test func decadesOfTheLargestNumberEnd() { #expect(Histogram.decades(upTo: .max).count == 57) }
}
