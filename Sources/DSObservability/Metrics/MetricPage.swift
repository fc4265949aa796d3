package import DSSupport

/// What one scrape reads: families in the order in which they were first named. Samples of several sources (models) that have
/// the same name come together, as the format demands.
package struct MetricPage: Sendable {
    package private(set) var families: [MetricFamily] = []
    private var places: [String: Int] = [:]
    /// All names of families and samples.
    private var taken: Set<String> = []

    package init() {}

    /// Whether a family of this name and kind would share no name with those of the page.
    package func isFree(_ name: String, for kind: MetricFamily.Kind) -> Bool {
        taken.isDisjoint(with: kind.names(name))
    }

    /// - Parameter name: without `_total`, which every counter has on the wire.
    package mutating func counter(_ name: String, _ help: String, _ labels: MetricLabels, _ value: Double) {
        add(.init(suffix: "_total", labels: labels, value: value), to: name, help, .counter)
    }

    package mutating func counter(_ name: String, _ help: String, _ labels: MetricLabels, _ value: Int) {
        counter(name, help, labels, Double(value))
    }

    package mutating func gauge(_ name: String, _ help: String, _ labels: MetricLabels, _ value: Double) {
        add(.init(suffix: "", labels: labels, value: value), to: name, help, .gauge)
    }

    package mutating func gauge(_ name: String, _ help: String, _ labels: MetricLabels, _ value: Int) {
        gauge(name, help, labels, Double(value))
    }

    package mutating func histogram(
        _ name: String, _ help: String, _ labels: MetricLabels, _ histogram: Histogram
    ) {
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < histogram.bounds.count ? histogram.bounds[index] : .infinity
            let bucket = labels.adding("le", MetricNumber.bound(bound))
            add(.init(suffix: "_bucket", labels: bucket, value: Double(total)), to: name, help, .histogram)
        }
        add(.init(suffix: "_sum", labels: labels, value: histogram.sum), to: name, help, .histogram)
        add(.init(suffix: "_count", labels: labels, value: Double(total)), to: name, help, .histogram)
    }

    /// - Parameter quantiles: fractions with their values.
    package mutating func summary(
        _ name: String, _ help: String, _ labels: MetricLabels, quantiles: [(Double, Double)], sum: Double,
        count: UInt64
    ) {
        for (fraction, value) in quantiles {
            let quantile = labels.adding("quantile", MetricNumber.bound(fraction))
            add(.init(suffix: "", labels: quantile, value: value), to: name, help, .summary)
        }
        add(.init(suffix: "_sum", labels: labels, value: sum), to: name, help, .summary)
        add(.init(suffix: "_count", labels: labels, value: Double(count)), to: name, help, .summary)
    }

    private mutating func add(_ sample: MetricFamily.Sample, to name: String, _ help: String, _ kind: MetricFamily.Kind)
    {
        if let place = places[name] {
            precondition(families[place].kind == kind, "one name, one kind")
            families[place].samples.append(sample)
        } else {
            places[name] = families.count
            taken.formUnion(kind.names(name))
            families.append(MetricFamily(name: name, help: help, kind: kind, samples: [sample]))
        }
    }
}
