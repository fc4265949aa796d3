import ArgumentParser
import DSObservability
import Foundation

/// Where traces go. The environment variables are OpenTelemetry's; options win over them.
struct SpanExportOptions: ParsableArguments {
    @Option(
        help:
            "Collector that takes spans by OTLP over HTTP, for instance http://localhost:4318/v1/traces (environment: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT)."
    )
    var otlpTracesEndpoint: String?
    @Option(help: "http/protobuf or http/json (environment: OTEL_EXPORTER_OTLP_PROTOCOL; default: http/protobuf).")
    var otlpProtocol: String?
    @Option(
        help:
            "Fraction of the traces that begin here to be recorded, 0...1 (environment: OTEL_TRACES_SAMPLER_ARG; default: 1)."
    )
    var traceSamplingRatio: Double?

    /// Nil: no traces are wanted.
    func configuration() throws -> SpanExporter.Configuration? {
        guard let url = try address() else {
            for (option, isGiven) in [
                ("--otlp-protocol", otlpProtocol != nil), ("--trace-sampling-ratio", traceSamplingRatio != nil),
            ] where isGiven { throw ValidationError("\(option): expected --otlp-traces-endpoint, too, found none") }
            return nil
        }
        let resource = TraceResource(
            serviceName: Self.variable("OTEL_SERVICE_NAME") ?? "deepseek", version: Version.text,
            attributes: try Self.pairs("OTEL_RESOURCE_ATTRIBUTES").map { .init($0.name, .text($0.value)) })
        var configuration = SpanExporter.Configuration(url: url, resource: resource)
        configuration.headers = try Self.pairs("OTEL_EXPORTER_OTLP_HEADERS")
        let (source, name) =
            otlpProtocol.map { ("--otlp-protocol", $0) }
            ?? ("OTEL_EXPORTER_OTLP_PROTOCOL", Self.variable("OTEL_EXPORTER_OTLP_PROTOCOL") ?? "http/protobuf")
        guard let encoding = SpanExporter.Encoding(rawValue: name) else {
            throw ValidationError("\(source): expected http/protobuf or http/json, found \(name)")
        }
        configuration.encoding = encoding
        return configuration
    }

    func ratio() throws -> Double {
        if let traceSamplingRatio {
            return try Self.checked(traceSamplingRatio, "--trace-sampling-ratio", "\(traceSamplingRatio)")
        }
        guard let text = Self.variable("OTEL_TRACES_SAMPLER_ARG") else { return 1 }
        return try Self.checked(Double(text), "OTEL_TRACES_SAMPLER_ARG", text)
    }

    private static func checked(_ ratio: Double?, _ source: String, _ text: String) throws -> Double {
        guard let ratio, (0...1).contains(ratio) else {
            throw ValidationError("\(source): expected a number in 0...1, found \(text)")
        }
        return ratio
    }

    /// An address without a path, and the variable for all signals, mean the standard path.
    private func address() throws -> String? {
        if let otlpTracesEndpoint {
            return try Self.address("--otlp-traces-endpoint", otlpTracesEndpoint, isBase: false)
        }
        if let own = Self.variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return try Self.address("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own, isBase: false)
        }
        return try Self.variable("OTEL_EXPORTER_OTLP_ENDPOINT").map {
            try Self.address("OTEL_EXPORTER_OTLP_ENDPOINT", $0, isBase: true)
        }
    }

    private static func address(_ source: String, _ text: String, isBase: Bool) throws -> String {
        guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme), url.host != nil else {
            throw ValidationError("\(source): expected an http:// or https:// address, found \(text)")
        }
        let hasPath = !(url.path.isEmpty || url.path == "/")
        guard isBase || !hasPath else { return text }
        return (text.hasSuffix("/") ? String(text.dropLast()) : text) + "/v1/traces"
    }

    /// `name=value,…` with percent escapes in the values.
    private static func pairs(_ variable: String) throws -> [(name: String, value: String)] {
        try (Self.variable(variable) ?? "").split(separator: ",").map { entry in
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].trimmingCharacters(in: .whitespaces)
            // The value may be a secret, so the message does not show it.
            guard parts.count == 2, !name.isEmpty, let value = parts[1].removingPercentEncoding else {
                throw ValidationError("\(variable): expected name=value, separated by commas; found an entry without")
            }
            return (name, value.trimmingCharacters(in: .whitespaces))
        }
    }

    private static func variable(_ name: String) -> String? {
        Environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
