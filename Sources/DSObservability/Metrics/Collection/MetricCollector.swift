package import Metrics
import Synchronization

/// The backend of swift-metrics: collects what the server and the libraries in it count, and writes it on a page. Metrics with the
/// same label and dimensions are one series, whoever made them; it goes when all of them were destroyed.
package final class MetricCollector: MetricsFactory {
    private struct FamilyKey: Hashable {
        let label: String
        let source: MetricSource
    }

    private struct Holding {
        let series: any CollectedSeries
        /// Metrics that write to it.
        var holders: Int
    }

    private struct State {
        /// In the order in which they were first asked for.
        var order: [FamilyKey] = []
        /// By labels, sorted: their order tells no series apart.
        var families: [FamilyKey: [MetricLabels: Holding]] = [:]
    }

    private let descriptions: [String: MetricDescription]
    private let state = Mutex(State())

    /// - Parameter descriptions: by label.
    package init(_ descriptions: [String: MetricDescription] = [:]) { self.descriptions = descriptions }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, .counter, dimensions) { CollectedCounter($0) }
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, .counter, dimensions) { CollectedCounter($0) }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, .gauge, dimensions) { CollectedGauge($0) }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, .gauge, dimensions) { CollectedGauge($0) } }
        return histogram(label, .recorder, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, .timer, dimensions)
    }

    package func destroyCounter(_ handler: any CounterHandler) { release(handler) }

    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { release(handler) }

    package func destroyMeter(_ handler: any MeterHandler) { release(handler) }

    package func destroyRecorder(_ handler: any RecorderHandler) { release(handler) }

    package func destroyTimer(_ handler: any TimerHandler) { release(handler) }

    /// Adds every family that has series, behind what the page has. One whose name is taken gets the first free one of
    /// `name_kind`, `name_kind_2`, …
    package func add(to page: inout MetricPage) {
        let families = state.withLock { state in
            state.order.map { ($0, (state.families[$0] ?? [:]).values.map(\.series)) }
        }
        for (key, series) in families where !series.isEmpty {
            let name = freeName(key, page)
            let help = descriptions[key.label]?.help ?? "'\(key.label)' of a library."
            for one in series.sorted(by: { $0.labels.values.lexicographicallyPrecedes($1.labels.values) }) {
                one.add(to: &page, name: name, help: help)
            }
        }
    }

    private func freeName(_ key: FamilyKey, _ page: MetricPage) -> String {
        let kind = key.source.kind
        let name = MetricNaming.family(key.label, key.source)
        var candidate = name
        var number = 1
        while !page.isFree(candidate, for: kind) {
            candidate = "\(name)_\(kind.rawValue)" + (number == 1 ? "" : "_\(number)")
            number += 1
        }
        return candidate
    }

    private func histogram(
        _ label: String, _ source: MetricSource, _ dimensions: [(String, String)]
    ) -> CollectedHistogram {
        let bounds = descriptions[label]?.bounds ?? source.standardBounds
        return series(label, source, dimensions) { CollectedHistogram($0, bounds: bounds) }
    }

    private func series<Series: CollectedSeries>(
        _ label: String, _ source: MetricSource, _ dimensions: [(String, String)], make: (MetricLabels) -> Series
    ) -> Series {
        let labels = MetricNaming.labels(dimensions)
        let family = FamilyKey(label: label, source: source)
        let place = labels.sorted
        return state.withLock { state in
            if let holding = state.families[family]?[place], let series = holding.series as? Series {
                state.families[family]?[place]?.holders += 1
                return series
            }
            if state.families[family] == nil { state.order.append(family) }
            let series = make(labels)
            state.families[family, default: [:]][place] = Holding(series: series, holders: 1)
            return series
        }
    }

    private func release(_ handler: AnyObject) {
        guard let series = handler as? any CollectedSeries else { return }
        let place = series.labels.sorted
        state.withLock { state in
            for key in state.order where state.families[key]?[place]?.series === series {
                state.families[key]?[place]?.holders -= 1
                if state.families[key]?[place]?.holders == 0 { state.families[key]?[place] = nil }
            }
        }
    }
}
