import DSObservability
import Metrics
import Testing

@Suite("Metrics of swift-metrics") struct MetricCollectorTests {
    private func lines(_ collector: MetricCollector) -> [String] {
        var page = MetricPage()
        collector.add(to: &page)
        return MetricText.write(page, as: .prometheus).split(separator: "\n").map(String.init)
    }

    private func samples(_ collector: MetricCollector) -> [String] { lines(collector).filter { !$0.hasPrefix("#") } }

    @Test func everyKindIsOnThePage() {
        let collector = MetricCollector([
            "jobs": MetricDescription("Jobs done."),
            "wait": MetricDescription("Time of waiting.", bounds: [0.5, 1]),
            "size": MetricDescription("Sizes.", bounds: [10]),
        ])
        Counter(label: "jobs", dimensions: [("kind", "a\"b")], factory: collector).increment(by: 3)
        FloatingPointCounter(label: "cost", factory: collector).increment(by: 0.25)
        let meter = Meter(label: "depth", factory: collector)
        meter.set(5)
        meter.decrement(by: 1.5)
        Gauge(label: "heat", factory: collector).record(-2)
        let timer = Timer(label: "wait", factory: collector)
        timer.recordMilliseconds(500)
        timer.record(duration: .seconds(2))
        Recorder(label: "size", factory: collector).record(11)
        #expect(
            lines(collector) == [
                "# HELP jobs_total Jobs done.", "# TYPE jobs_total counter", #"jobs_total{kind="a\"b"} 3.0"#,
                "# HELP cost_total 'cost' of a library.", "# TYPE cost_total counter", "cost_total 0.25",
                "# HELP depth 'depth' of a library.", "# TYPE depth gauge", "depth 3.5",
                "# HELP heat 'heat' of a library.", "# TYPE heat gauge", "heat -2.0",
                "# HELP wait_seconds Time of waiting.", "# TYPE wait_seconds histogram",
                #"wait_seconds_bucket{le="0.5"} 1.0"#, #"wait_seconds_bucket{le="1.0"} 1.0"#,
                #"wait_seconds_bucket{le="+Inf"} 2.0"#, "wait_seconds_sum 2.5", "wait_seconds_count 2.0",
                "# HELP size Sizes.", "# TYPE size histogram", #"size_bucket{le="10.0"} 0.0"#,
                #"size_bucket{le="+Inf"} 1.0"#, "size_sum 11.0", "size_count 1.0",
            ])
    }

    @Test(arguments: [
        ("hb.requests", "hb_requests_total"), ("requests_total", "requests_total"), ("_total", "_total_total"),
        ("2nd try", "_2nd_try_total"), ("größe", "gr__e_total"), ("a:b", "a_b_total"), ("", "__total"),
    ])
    func labelsBecomeNames(label: String, name: String) {
        let collector = MetricCollector()
        Counter(label: label, factory: collector).increment()
        #expect(samples(collector) == ["\(name) 1.0"])
    }

    @Test func dimensionsBecomeLabels() {
        let collector = MetricCollector()
        let dimensions = [
            ("http.route", "/a"), ("http_route", "/b"), ("__name__", "x"), ("le", "1"), ("9", "y"), ("", "\n"),
        ]
        Counter(label: "c", dimensions: dimensions, factory: collector).increment()
        #expect(
            samples(collector) == [
                #"c_total{http_route="/a",http_route_2="/b",_name__="x",exported_le="1",_9="y",_="\n"} 1.0"#
            ])
    }

    @Test func theSameLabelAndDimensionsAreOneSeries() {
        let collector = MetricCollector()
        for dimensions in [[("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")], [("a", "2"), ("b", "1")]] {
            Counter(label: "c", dimensions: dimensions, factory: collector).increment()
        }
        #expect(samples(collector) == [#"c_total{a="1",b="2"} 2.0"#, #"c_total{a="2",b="1"} 1.0"#])
    }

    @Test func aSeriesGoesWithTheLastOfItsMetrics() {
        let collector = MetricCollector()
        let first = Timer(label: "t", factory: collector)
        let second = Timer(label: "t", factory: collector)
        let other = Timer(label: "t", dimensions: [("a", "b")], factory: collector)
        first.destroy()
        second.recordSeconds(1)
        #expect(samples(collector).contains("t_seconds_count 1.0"))
        second.destroy()
        #expect(!samples(collector).contains { $0.hasPrefix("t_seconds_count ") })
        other.destroy()
        #expect(lines(collector) == [])
        Timer(label: "t", factory: collector).recordSeconds(1)
        #expect(samples(collector).contains("t_seconds_count 1.0"))
    }

    @Test func namesThatAreTakenAreNotGivenAgain() {
        let collector = MetricCollector()
        Counter(label: "a", factory: collector).increment()
        Gauge(label: "a", factory: collector).record(2)
        Counter(label: "x.y", factory: collector).increment()
        Counter(label: "x_y", factory: collector).increment()
        Gauge(label: "x_y_total", factory: collector).record(3)
        Gauge(label: "own", factory: collector).record(4)
        var page = MetricPage()
        page.counter("own", "The server's.", [:], 9)
        collector.add(to: &page)
        let samples = MetricText.write(page, as: .prometheus).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            samples == [
                "own_total 9.0", "a_total 1.0", "a_gauge 2.0", "x_y_total 1.0", "x_y_counter_total 1.0",
                "x_y_total_gauge 3.0", "own_gauge 4.0",
            ])
    }

    @Test func countersNeverFallAndTimesAreNumbers() {
        let collector = MetricCollector()
        let counter = FloatingPointCounter(label: "c", factory: collector)
        counter.increment(by: 2)
        for amount in [-1, .nan, .infinity] { counter.increment(by: amount) }
        Recorder(label: "r", factory: collector).record(Double.nan)
        #expect(samples(collector).contains("c_total 2.0") && samples(collector).contains("r_count 0.0"))
        counter.reset()
        #expect(samples(collector).contains("c_total 0.0"))
    }

    @Test func nothingIsLostBetweenThreads() async {
        let collector = MetricCollector()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        Counter(label: "c", factory: collector).increment()
                        Timer(label: "t", factory: collector).recordSeconds(1)
                    }
                }
            }
        }
        #expect(samples(collector).contains("c_total 8000.0") && samples(collector).contains("t_seconds_sum 8000.0"))
    }
}
