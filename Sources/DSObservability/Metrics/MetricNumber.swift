/// Numbers as Prometheus' text formats write them.
package enum MetricNumber {
    package static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value.description
    }

    /// A bucket's bound or a quantile's fraction. It is part of the series' identity, so it is written as Prometheus' own
    /// libraries do: with a point below a million, with an exponent from there.
    package static func bound(_ value: Double) -> String {
        guard value.isFinite, value >= 1_000_000, value < 1e15, value == value.rounded() else { return text(value) }
        let digits = String(Int64(value))
        let exponent = digits.count - 1
        let fraction = String(digits.dropFirst().reversed().drop { $0 == "0" }.reversed())
        let mantissa = fraction.isEmpty ? "\(digits.prefix(1))" : "\(digits.prefix(1)).\(fraction)"
        return "\(mantissa)e+\(exponent < 10 ? "0" : "")\(exponent)"
    }
}
