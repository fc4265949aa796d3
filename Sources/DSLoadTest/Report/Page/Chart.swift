/// Lines over two axes, as an SVG that takes its colours from the page's style.
struct Chart {
    struct Series {
        enum Form { case line, steps, marked }

        let name: String
        /// Name of the style's colour: `c0`…`c5` for kinds, `q0`…`q5` for levels in order.
        let color: String
        let points: [(x: Double, y: Double)]
        var form = Form.line
        var isDashed = false
    }

    /// A vertical line with a name.
    struct Marker {
        let x: Double
        let name: String
        var isBound = false
    }

    var xName: String
    var yName: String
    var xKind = ChartAxis.Kind.linear
    var yKind = ChartAxis.Kind.linear
    var series: [Series]
    var markers: [Marker] = []
    /// Where the vertical axis ends although no value is there: 100 %, say.
    var yEnd: Double?
    /// Ticks of the horizontal axis, instead of round values.
    var xTicks: [Double]?
    var width = 560.0
    var height = 270.0

    private static let left = 58.0
    private static let right = 16.0
    private static let top = 26.0
    private static let bottom = 44.0

    var svg: String {
        let points = series.flatMap(\.points)
        var x = ChartAxis(xKind, values: points.map(\.x) + markers.filter(\.isBound).map(\.x), tickCount: 6)
        if let xTicks { x = x.ticking(at: xTicks) }
        var ends = yEnd.map { [$0] } ?? []
        if yKind == .logarithmic { ends += ChartAxis.enclosing(points.map(\.y)) }
        let y = ChartAxis(yKind, values: points.map(\.y) + ends)
        let plot = Plot(
            x: x, y: y, left: Self.left, top: Self.top, width: width - Self.left - Self.right,
            height: height - Self.top - Self.bottom)
        let parts = [
            plot.grid(xName: xName, yName: yName), legend, markers.map(plot.marker).joined(separator: "\n"),
            series.map(plot.drawing).joined(separator: "\n"),
        ]
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Markup.number(width)) \(Markup.number(height))" \
            role="img" aria-label="\(Markup.escaped(yName)) over \(Markup.escaped(xName))">
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    /// Names of the series, in a row above the plot; one series needs none.
    private var legend: String {
        guard series.count > 1 else { return "" }
        var x = Self.left
        return series.map { series in
            defer { x += 26 + 6.6 * Double(series.name.unicodeScalars.count) }
            let dash = series.isDashed ? " dashed" : ""
            return """
                <line class="key \(series.color)\(dash)" x1="\(Markup.number(x))" y1="10" x2="\(Markup.number(x + 14))" y2="10"/>\
                <text class="name" x="\(Markup.number(x + 19))" y="14">\(Markup.escaped(series.name))</text>
                """
        }.joined(separator: "\n")
    }
}

/// A chart's area with its two axes.
private struct Plot {
    let x: ChartAxis
    let y: ChartAxis
    let left: Double
    let top: Double
    let width: Double
    let height: Double

    private func px(_ value: Double) -> Double { left + width * x.position(value) }
    private func py(_ value: Double) -> Double { top + height * (1 - y.position(value)) }

    func grid(xName: String, yName: String) -> String {
        var lines: [String] = []
        for tick in y.ticks {
            let at = Markup.number(py(tick))
            lines.append(
                "<line class=\"grid\" x1=\"\(Markup.number(left))\" y1=\"\(at)\" x2=\"\(Markup.number(left + width))\" y2=\"\(at)\"/>"
            )
            lines.append(text(ChartAxis.label(tick), x: left - 8, y: py(tick) + 4, anchor: "end"))
        }
        for tick in x.ticks {
            lines.append(text(ChartAxis.label(tick), x: px(tick), y: top + height + 16, anchor: "middle"))
        }
        let base = Markup.number(top + height)
        lines.append(
            "<line class=\"axis\" x1=\"\(Markup.number(left))\" y1=\"\(base)\" x2=\"\(Markup.number(left + width))\" y2=\"\(base)\"/>"
        )
        lines.append(text(xName, x: left + width / 2, y: top + height + 36, anchor: "middle", style: "title"))
        lines.append(
            "<text class=\"title\" transform=\"translate(13 \(Markup.number(top + height / 2))) rotate(-90)\" "
                + "text-anchor=\"middle\">\(Markup.escaped(yName))</text>")
        return lines.joined(separator: "\n")
    }

    private func text(_ text: String, x: Double, y: Double, anchor: String, style: String = "tick") -> String {
        "<text class=\"\(style)\" x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\" text-anchor=\"\(anchor)\">"
            + "\(Markup.escaped(text))</text>"
    }

    func drawing(_ series: Chart.Series) -> String {
        guard !series.points.isEmpty else { return "" }
        var path = ""
        var last = 0.0
        for (index, point) in series.points.enumerated() {
            let (x, y) = (px(point.x), py(point.y))
            if index > 0, series.form == .steps {
                path += "H\(Markup.number(x))V\(Markup.number(y))"
            } else {
                path += "\(index == 0 ? "M" : "L")\(Markup.number(x)) \(Markup.number(y))"
            }
            last = x
        }
        let dash = series.isDashed ? " dashed" : ""
        var shapes = "<path class=\"line \(series.color)\(dash)\" d=\"\(path)\"/>"
        if series.form == .steps, let first = series.points.first {
            let base = Markup.number(top + height)
            shapes =
                "<path class=\"area \(series.color)\" d=\"\(path)L\(Markup.number(last)) \(base)"
                + "L\(Markup.number(px(first.x))) \(base)Z\"/>" + shapes
        }
        if series.form == .marked {
            for point in series.points {
                shapes +=
                    "<circle class=\"dot \(series.color)\" cx=\"\(Markup.number(px(point.x)))\" "
                    + "cy=\"\(Markup.number(py(point.y)))\" r=\"4\"><title>\(Markup.escaped(series.name)): "
                    + "\(Figure.text(point.y)) at \(Figure.text(point.x))</title></circle>"
            }
        }
        return shapes
    }

    func marker(_ marker: Chart.Marker) -> String {
        let x = px(marker.x)
        let isRight = x > left + width * 0.8
        return "<line class=\"marker\(marker.isBound ? " bound" : "")\" x1=\"\(Markup.number(x))\" "
            + "y1=\"\(Markup.number(top))\" x2=\"\(Markup.number(x))\" y2=\"\(Markup.number(top + height))\"/>"
            + text(
                marker.name, x: isRight ? x - 4 : x + 4, y: marker.isBound ? top + height - 6 : top - 4,
                anchor: isRight ? "end" : "start", style: marker.isBound ? "mark bound" : "mark")
    }
}
