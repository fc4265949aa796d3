/// Names and values that tell the samples of one metric apart, in the order in which they are written.
package struct MetricLabels: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package private(set) var names: [String] = []
    package private(set) var values: [String] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    package mutating func append(_ name: String, _ value: String) {
        names.append(name)
        values.append(value)
    }

    package func adding(_ name: String, _ value: String) -> MetricLabels {
        var labels = self
        labels.append(name, value)
        return labels
    }

    /// The same labels by name: as such they are equal in whichever order they are written.
    package var sorted: MetricLabels {
        var labels = MetricLabels()
        for index in names.indices.sorted(by: { names[$0] < names[$1] }) { labels.append(names[index], values[index]) }
        return labels
    }
}
