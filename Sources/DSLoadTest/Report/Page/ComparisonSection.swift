/// The part of a page that sets two tests side by side.
struct ComparisonSection {
    let comparison: Comparison

    var markup: String {
        let head = ["load", "figure", comparison.label, comparison.otherLabel, "ratio"]
            .map { "<th>\(Markup.escaped($0))</th>" }.joined()
        let rows = comparison.rows.enumerated().map { index, row in
            // A load's name stands once, at its first figure.
            let isFirst = index == 0 || comparison.rows[index - 1].load != row.load
            let cells = [
                isFirst ? row.load : "", "\(row.name), \(row.unit)", Figure.text(row.ours), Figure.text(row.other),
            ]
            let isBetter = row.ratio.map { ($0 > 1) == row.isRate }
            let style = isBetter.map { $0 ? "better" : "worse" } ?? ""
            return "<tr>" + cells.map { "<td>\(Markup.escaped($0))</td>" }.joined()
                + "<td class=\"\(row.ratio == 1 ? "" : style)\">\(row.ratio.map { Figure.text($0, digits: 2) } ?? "-")</td></tr>"
        }
        let unmatched = comparison.unmatched.map { "<li>\(Markup.escaped($0))</li>" }.joined()
        return """
            <section><h2>\(Markup.escaped(comparison.label)) beside \(Markup.escaped(comparison.otherLabel))</h2>
            <div class="card"><div class="scroll"><table class="pairs"><thead><tr>\(head)</tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></div>
            \(unmatched.isEmpty ? "" : "<ul class=\"notes\">\(unmatched)</ul>")
            </section>
            """
    }
}
