/// Rows of text in aligned columns.
struct TextTable {
    enum Alignment { case left, right }

    private let header: [String]
    private let alignment: [Alignment]
    private var rows: [[String]] = []

    init(_ columns: [(String, Alignment)]) {
        header = columns.map(\.0)
        alignment = columns.map(\.1)
    }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == header.count, "a row has one cell per column")
        rows.append(cells)
    }

    var text: String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].displayWidth }.max() ?? 0 }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        var lines = all.map { row in
            zip(row.indices, row).map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.displayWidth)
                return alignment[column] == .left ? cell + padding : padding + cell
            }.joined(separator: "  ")
        }
        lines.insert(rule, at: 1)
        return lines.joined(separator: "\n")
    }
}

extension String {
    var displayWidth: Int { reduce(0) { $0 + $1.columns } }
}

/// Sizes for people.
enum Units {
    static func bytes(_ count: Int) -> String {
        let units = ["B", "KB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(decimal(value, 2)) \(units[unit])"
    }

    static func count(_ count: Int) -> String {
        switch count {
        case 1_000_000_000...: "\(decimal(Double(count) / 1e9, 2)) B"
        case 1_000_000...: "\(decimal(Double(count) / 1e6, 2)) M"
        case 1000...: "\(decimal(Double(count) / 1e3, 1)) K"
        default: "\(count)"
        }
    }

    static func decimal(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((abs(value) * scale).rounded())
        let whole = scaled / Int(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(scaled % Int(scale))
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
