import ArgumentParser
import DSObservability
import DSServing
import Logging

/// What the server tells about itself and its requests.
struct ObservabilityOptions: ParsableArguments {
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"
    @Option(help: "json (one object per line) or text (default: text on a terminal, else json).")
    var logFormat: String?
    @Option(help: "Paths whose requests are not logged, separated by commas, for instance /health,/metrics.")
    var disableAccessLogForEndpoints: String?
    @OptionGroup var traces: SpanExportOptions
    @OptionGroup var prices: PriceOptions

    func logger() throws -> Logger {
        guard let level = Logger.Level(rawValue: logLevel) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--log-level: expected one of \(known), found \(logLevel)")
        }
        var format = LogFormat.standard
        if let logFormat {
            guard let given = LogFormat(rawValue: logFormat) else {
                throw ValidationError("--log-format: expected json or text, found \(logFormat)")
            }
            format = given
        }
        return format.logger("deepseek-server", level: level)
    }

    func observability(_ logger: Logger) throws -> Observability {
        var observability = Observability()
        observability.costs = try prices.model()
        for path in (disableAccessLogForEndpoints ?? "").split(separator: ",") {
            guard path.hasPrefix("/") else {
                throw ValidationError(
                    "--disable-access-log-for-endpoints: expected paths that begin with /, found \(path)")
            }
            observability.unloggedPaths.insert(String(path))
        }
        if let configuration = try traces.configuration() {
            let exporter = SpanExporter(configuration, logger: logger)
            observability.exporter = exporter
            observability.tracer = SpanTracer(ratio: try traces.ratio()) { exporter.add($0) }
        }
        return observability
    }
}
