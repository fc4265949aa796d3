/// Numbers as a report shows them.
package enum Figure {
    /// Three significant digits at least, all digits of the whole part, no exponent: `0.0123`, `4.57`, `81.3`, `12,345`.
    package static func text(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let magnitude = value.magnitude
        let digits =
            magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : magnitude >= 0.9995 ? 2 : magnitude >= 0.09995 ? 3 : 4
        return text(value, digits: magnitude == 0 ? 0 : digits)
    }

    package static func text(_ value: Double?) -> String { value.map { text($0) } ?? "-" }

    /// Fixed decimals, thousands grouped by commas.
    package static func text(_ value: Double, digits: Int) -> String {
        // Beyond this a double has no decimals, and an Int no room.
        guard value.isFinite, value.magnitude < 1e15 else { return value.isFinite ? "\(value)" : "-" }
        let scale = Logarithm.tenToThe(digits)
        let scaled = Int((value.magnitude * scale).rounded())
        let whole = scaled / Int(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + grouped(whole) }
        let fraction = String(scaled % Int(scale))
        return "\(sign)\(grouped(whole))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    package static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var index = digits.endIndex
        while let next = digits.index(index, offsetBy: -3, limitedBy: digits.startIndex), next > digits.startIndex {
            digits.insert(",", at: next)
            index = next
        }
        return (value < 0 ? "-" : "") + digits
    }

    /// Seconds as milliseconds.
    package static func milliseconds(_ seconds: Double?) -> String { text(seconds.map { $0 * 1000 }) }
}
