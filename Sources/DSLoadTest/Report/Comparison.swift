package import DSSupport

/// Two tests at the same loads: this one's figures over another one's, read from its JSON.
package struct Comparison: Sendable {
    package struct Row: Sendable {
        package let load: String
        package let name: String
        package let unit: String
        package let ours: Double
        package let other: Double
        /// Whether more is better.
        package let isRate: Bool

        package var ratio: Double? { other > 0 ? ours / other : nil }
    }

    package let label: String
    package let otherLabel: String
    package let rows: [Row]
    /// Loads that only one of the tests has.
    package let unmatched: [String]

    /// What is compared: the JSON's key, the name, the unit, and whether more is better.
    private static let figures: [(key: String, name: String, unit: String, isRate: Bool)] = [
        ("request_throughput", "requests", "/s", true), ("output_throughput", "output tokens", "/s", true),
        ("request_goodput", "goodput", "/s", true), ("median_ttft_ms", "TTFT p50", "ms", false),
        ("p99_ttft_ms", "TTFT p99", "ms", false), ("median_tpot_ms", "TPOT p50", "ms", false),
        ("p99_tpot_ms", "TPOT p99", "ms", false), ("median_itl_ms", "ITL p50", "ms", false),
        ("p99_itl_ms", "ITL p99", "ms", false), ("p99_e2el_ms", "E2EL p99", "ms", false),
    ]

    /// - Parameter path: the other file's name, for messages.
    package init(_ report: JSONValue, with other: JSONValue, path: String) throws(LoadTestError) {
        guard let otherRuns = other["runs"]?.arrayValue, other["tool"]?.stringValue == report["tool"]?.stringValue
        else {
            throw .comparison(path, "expected a file that `deepseek loadtest --json` wrote, found another one")
        }
        label = report["label"]?.stringValue ?? "this"
        otherLabel = other["label"]?.stringValue ?? path
        let runs = report["runs"]?.arrayValue ?? []
        var rows: [Row] = []
        var unmatched: [String] = []
        for run in runs {
            guard let match = otherRuns.first(where: { Self.load($0) == Self.load(run) }) else {
                unmatched.append("\(Self.load(run)): only in \(label)")
                continue
            }
            // Like is compared with like: steady states only where both have one.
            let both = [run, match].map { $0["steady_state"] }
            let isSteady = both.allSatisfy { $0?.objectValue != nil }
            let isMixed = !isSteady && both.contains { $0?.objectValue != nil }
            let load = Self.load(run) + (isMixed ? ", whole runs" : "")
            let (ours, theirs) = isSteady ? (both[0] ?? run, both[1] ?? match) : (run, match)
            for figure in Self.figures {
                guard let a = ours[figure.key]?.doubleValue, let b = theirs[figure.key]?.doubleValue else { continue }
                rows.append(
                    Row(
                        load: load, name: figure.name, unit: figure.unit, ours: a, other: b,
                        isRate: figure.isRate))
            }
        }
        let loads = runs.map(Self.load)
        for load in otherRuns.map(Self.load) where !loads.contains(load) {
            unmatched.append("\(load): only in \(otherLabel)")
        }
        self.rows = rows
        self.unmatched = unmatched
    }

    private static func load(_ run: JSONValue) -> String {
        if let concurrency = run["max_concurrency"]?.intValue {
            return Load.closed(concurrency: concurrency, rampUp: run["ramp_up"]?.doubleValue ?? 0).title
        }
        let arrival = run["arrival"]?.stringValue.flatMap(Arrival.init) ?? .poisson
        return Load.open(rate: run["request_rate"]?.doubleValue ?? 0, arrival: arrival).title
    }
}
