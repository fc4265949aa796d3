/// Text for a page that is HTML and well-formed XML at once.
enum Markup {
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            // XML has no place for control characters, escaped or not.
            case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A table whose first column names things and whose others hold numbers.
    static func table(_ header: [String], _ rows: [[String]], style: String = "") -> String {
        let head = header.map { "<th>\(escaped($0))</th>" }.joined()
        let body = rows.map { row in "<tr>" + row.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>" }
        return """
            <div class="scroll"><table class="\(style)"><thead><tr>\(head)</tr></thead>
            <tbody>\(body.joined(separator: "\n"))</tbody></table></div>
            """
    }

    static func card(_ title: String, _ subtitle: String, style: String = "", _ content: String) -> String {
        let small = subtitle.isEmpty ? "" : "<p class=\"sub\">\(escaped(subtitle))</p>"
        return
            "<figure class=\"card \(style)\"><figcaption><h3>\(escaped(title))</h3>\(small)</figcaption>\(content)</figure>"
    }

    /// A coordinate.
    static func number(_ value: Double) -> String {
        Figure.text(value, digits: 1).replacing(",", with: "")
    }
}
