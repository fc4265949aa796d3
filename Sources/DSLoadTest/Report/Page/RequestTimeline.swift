/// A bar per request over the time of a run: waiting for the first token, then generating.
struct RequestTimeline {
    let records: [RequestRecord]
    /// More rows than this say less, and make pages that browsers cannot scroll: every n-th request is drawn then.
    static let maximumRows = 600

    private static let width = 1160.0
    private static let left = 58.0
    private static let bottom = 40.0

    /// The requests that are drawn, in order of their sending.
    var rows: [RequestRecord] {
        let sorted = records.sorted { $0.sent < $1.sent }
        let stride = (sorted.count + Self.maximumRows - 1) / Self.maximumRows
        return stride <= 1 ? sorted : sorted.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    }

    var svg: String {
        let rows = rows
        let axis = ChartAxis(.linear, values: records.map(\.end), tickCount: 10)
        let rowHeight = min(12.0, max(1.2, 420 / Double(max(rows.count, 1))))
        let height = rowHeight * Double(rows.count)
        func x(_ time: Double) -> Double { Self.left + (Self.width - Self.left - 16) * axis.position(time) }
        var shapes: [String] = []
        for tick in axis.ticks {
            let at = Markup.number(x(tick))
            shapes.append("<line class=\"grid\" x1=\"\(at)\" y1=\"0\" x2=\"\(at)\" y2=\"\(Markup.number(height))\"/>")
            shapes.append(
                "<text class=\"tick\" x=\"\(at)\" y=\"\(Markup.number(height + 16))\" text-anchor=\"middle\">"
                    + "\(ChartAxis.label(tick))</text>")
        }
        for (index, record) in rows.enumerated() {
            let y = rowHeight * Double(index)
            let first = record.textTimes.first ?? record.end
            func bar(_ style: String, _ from: Double, _ to: Double) -> String {
                "<rect class=\"\(style)\" x=\"\(Markup.number(x(from)))\" y=\"\(Markup.number(y))\" "
                    + "width=\"\(Markup.number(max(0.6, x(to) - x(from))))\" "
                    + "height=\"\(Markup.number(max(1, rowHeight * 0.8)))\"/>"
            }
            let bars =
                record.failure == nil
                ? bar("waits", record.due, first) + bar("runs", first, record.end)
                : bar("fails", record.due, record.end)
            shapes.append("<g><title>\(Markup.escaped(Self.title(record)))</title>\(bars)</g>")
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Markup.number(Self.width)) \
            \(Markup.number(height + Self.bottom))" role="img" aria-label="Requests over time">
            \(shapes.joined(separator: "\n"))
            <text class="title" x="\(Markup.number((Self.width + Self.left) / 2))" y="\(Markup.number(height + 35))" \
            text-anchor="middle">seconds since the run began</text>
            </svg>
            """
    }

    private static func title(_ record: RequestRecord) -> String {
        if let failure = record.failure { return "request \(record.index): \(failure.kind.label): \(failure.message)" }
        return "request \(record.index): first token after \(Figure.milliseconds(record.timeToFirstToken)) ms, "
            + "\(record.outputTokens ?? 0) tokens in \(Figure.milliseconds(record.latency)) ms"
    }
}
