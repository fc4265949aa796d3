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
}
