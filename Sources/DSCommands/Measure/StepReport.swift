import DSGraph
import DSKernels
import DSSupport

/// What one step of a model spends its time on: a table, a drawing, or a trace for other programs.
struct StepReport {
    /// `prefill 512 @0`.
    let title: String
    let events: [StepProfile.Event]
    let roofline: Roofline

    /// All events of one kind of operation.
    struct Row {
        /// `attention/linear`: the label without the number of the layer.
        let operation: String
        var calls = 0
        var seconds = 0.0
        var bytes = 0.0
        var operations = 0.0
        /// Seconds that the machine needs at least.
        var limit = 0.0
    }

    /// By falling time.
    var rows: [Row] {
        var rows: [String: Row] = [:]
        for event in events {
            let name = Self.operation(event.label)
            var row = rows[name] ?? Row(operation: name)
            row.calls += 1
            row.seconds += event.seconds
            row.bytes += event.work.bytes
            row.operations += event.work.operations
            row.limit += event.work.seconds(on: roofline)
            rows[name] = row
        }
        return rows.values.sorted { ($0.seconds, $1.operation) > ($1.seconds, $0.operation) }
    }

    var seconds: Double { events.reduce(0) { $0 + $1.seconds } }

    private static func operation(_ label: String) -> String {
        var parts = label.split(separator: ".", omittingEmptySubsequences: false)
        if let index = parts.firstIndex(where: { Int($0) != nil }) {
            parts.removeSubrange(parts.startIndex...index)
        }
        return parts.joined(separator: ".")
    }

    var table: String {
        var table = TextTable([
            ("operation", .left), ("calls", .right), ("ms", .right), ("share", .right), ("GB/s", .right),
            ("GOP/s", .right),
            ("of limit", .right),
        ])
        let total = seconds
        func add(_ row: Row) {
            table.add([
                row.operation, "\(row.calls)", Units.decimal(row.seconds * 1e3, 3),
                "\(Units.decimal(100 * row.seconds / total, 1)) %",
                row.bytes > 0 ? Units.decimal(row.bytes / row.seconds / 1e9, 1) : "",
                row.operations > 0 ? Units.decimal(row.operations / row.seconds / 1e9, 0) : "",
                row.limit > 0 ? "\(Units.decimal(100 * row.limit / row.seconds, 0)) %" : "",
            ])
        }
        var sum = Row(operation: "all")
        for row in rows {
            add(row)
            sum.calls += row.calls
            sum.seconds += row.seconds
            sum.bytes += row.bytes
            sum.operations += row.operations
            sum.limit += row.limit
        }
        add(sum)
        return "\(title)\n\(table.text)"
    }

    var json: JSONValue {
        let list = rows.map { row -> JSONValue in
            [
                "operation": .text(row.operation), "calls": .integer(Int64(row.calls)), "seconds": .number(row.seconds),
                "bytes": .number(row.bytes), "operations": .number(row.operations),
                "limit_seconds": .number(row.limit),
            ]
        }
        return ["step": .text(title), "seconds": .number(seconds), "operations": .array(list)]
    }
}

/// Profiles as files.
extension StepReport {
    /// Events in the format of Chrome's tracing (`chrome://tracing`, Perfetto), one process per report.
    static func chromeTrace(_ reports: [StepReport]) -> JSONValue {
        var list: [JSONValue] = []
        for (process, report) in reports.enumerated() {
            list.append([
                "name": "process_name", "ph": "M", "pid": .integer(Int64(process)),
                "args": ["name": .text(report.title)],
            ])
            for event in report.events {
                list.append([
                    "name": .text(event.label), "ph": "X", "pid": .integer(Int64(process)), "tid": 0,
                    "ts": .number(event.start * 1e6), "dur": .number(event.seconds * 1e6),
                    "args": ["bytes": .number(event.work.bytes), "operations": .number(event.work.operations)],
                ])
            }
        }
        return ["traceEvents": .array(list), "displayTimeUnit": "ms"]
    }

    /// A page with the tables and a timeline of each step: layers above, their operations below, widths in proportion to time.
    static func page(_ reports: [StepReport], model: String) -> String {
        let style = """
            body { font: 14px sans-serif; margin: 2em; } pre { background: #f4f4f4; padding: 1em; overflow-x: auto; }
            svg text { font: 11px sans-serif; pointer-events: none; }
            """
        let body = reports.map { "<h2>\(escaped($0.title))</h2>\n\($0.drawing)\n<pre>\(escaped($0.table))</pre>" }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(model))</title><style>\(style)</style></head>
            <body><h1>\(escaped(model))</h1>
            \(body.joined(separator: "\n"))
            </body></html>

            """
    }

    private static let width = 1600.0
    private static let barHeight = 22.0

    /// An SVG.
    private var drawing: String {
        guard let first = events.first, let last = events.last else { return "" }
        let span = last.start + last.seconds - first.start
        var shapes: [String] = []
        func bar(_ name: String, _ start: Double, _ seconds: Double, row: Int, _ text: String) {
            let x = (start - first.start) / span * Self.width
            let w = max(0.1, seconds / span * Self.width)
            let y = Double(row) * Self.barHeight
            let title = "\(name): \(Units.decimal(seconds * 1e3, 3)) ms\(text)"
            shapes.append(
                "<g><title>\(Self.escaped(title))</title><rect x=\"\(Units.decimal(x, 2))\" y=\"\(Units.decimal(y, 0))\" "
                    + "width=\"\(Units.decimal(w, 2))\" height=\"\(Units.decimal(Self.barHeight - 2, 0))\" "
                    + "fill=\"\(Self.color(name))\"/>"
                    + (w > 6.5 * Double(name.count)
                        ? "<text x=\"\(Units.decimal(x + 3, 2))\" y=\"\(Units.decimal(y + 14, 0))\">\(Self.escaped(name))</text>"
                        : "") + "</g>")
        }
        for group in groups { bar(group.name, group.start, group.seconds, row: 0, "") }
        for event in events {
            let bytes = event.work.bytes > 0 ? ", \(Units.bytes(Int(event.work.bytes)))" : ""
            bar(Self.operation(event.label), event.start, event.seconds, row: 1, bytes)
        }
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(2 * Self.barHeight))\" "
            + "width=\"100%\">\n\(shapes.joined(separator: "\n"))\n</svg>"
    }

    /// Neighbouring events of the same layer.
    private var groups: [(name: String, start: Double, seconds: Double)] {
        var groups: [(name: String, start: Double, seconds: Double)] = []
        for event in events {
            let parts = event.label.split(separator: ".", omittingEmptySubsequences: false)
            let index = parts.firstIndex { Int($0) != nil }
            let name = index.map { parts[...$0].joined(separator: ".") } ?? Self.operation(event.label)
            if let last = groups.last, last.name == name {
                groups[groups.count - 1].seconds = event.start + event.seconds - last.start
            } else {
                groups.append((name, event.start, event.seconds))
            }
        }
        return groups
    }

    /// A light colour that follows from the name.
    private static func color(_ name: String) -> String {
        let hash = name.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return "hsl(\(hash % 360),60%,\(70 + hash / 360 % 12)%)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
