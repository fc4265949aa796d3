/// What a page says about metrics of one label beyond their figures, which swift-metrics has no place for.
package struct MetricDescription: Sendable {
    package let help: String
    /// Upper bounds of a timer's (in seconds) or a recorder's buckets. `nil`: the standard ones.
    package let bounds: [Double]?

    package init(_ help: String, bounds: [Double]? = nil) {
        self.help = help
        self.bounds = bounds
    }
}
