/// Writes a page in one of the text formats.
package struct MetricText {
    private let format: MetricFormat
    private var output = ""

    private init(_ format: MetricFormat) { self.format = format }

    package static func write(_ page: MetricPage, as format: MetricFormat) -> String {
        var text = MetricText(format)
        for family in page.families { text.write(family) }
        if format == .openMetrics { text.output += "# EOF\n" }
        return text.output
    }

    private mutating func write(_ family: MetricFamily) {
        // OpenMetrics names a counter without `_total`, the older format with it.
        let name = family.kind == .counter && format == .prometheus ? family.name + "_total" : family.name
        output += "# HELP \(name) \(escaped(family.help, quotes: format == .openMetrics))\n"
        output += "# TYPE \(name) \(family.kind.rawValue)\n"
        for sample in family.samples {
            output += family.name + sample.suffix
            write(sample.labels)
            output += " \(MetricNumber.text(sample.value))\n"
        }
    }

    private mutating func write(_ labels: MetricLabels) {
        guard !labels.names.isEmpty else { return }
        output += "{"
        for (index, name) in labels.names.enumerated() {
            if index > 0 { output += "," }
            output += "\(name)=\"\(escaped(labels.values[index], quotes: true))\""
        }
        output += "}"
    }

    private func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return text }
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
