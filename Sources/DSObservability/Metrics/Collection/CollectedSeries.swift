/// One series of a family: the figures of the metrics that have the same label and dimensions.
protocol CollectedSeries: AnyObject, Sendable {
    var labels: MetricLabels { get }

    func add(to page: inout MetricPage, name: String, help: String)
}
