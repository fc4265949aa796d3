/// Makes names that Prometheus takes of labels and dimensions, which swift-metrics lets be any text.
enum MetricNaming {
    /// A family's name without a counter's `_total`; times end in their unit.
    static func family(_ label: String, _ source: MetricSource) -> String {
        var name = identifier(label)
        switch source {
        case .counter:
            let ending = "_total"
            if name.hasSuffix(ending), name.utf8.count > ending.utf8.count { name.removeLast(ending.utf8.count) }
        case .timer:
            if !name.hasSuffix("_seconds") { name += "_seconds" }
        case .gauge, .recorder: break
        }
        return name
    }

    /// Dimensions in their order. Names that come out alike are numbered.
    static func labels(_ dimensions: [(String, String)]) -> MetricLabels {
        var labels = MetricLabels()
        for (dimension, value) in dimensions {
            let name = labelName(dimension)
            var unique = name
            var number = 1
            while labels.names.contains(unique) {
                number += 1
                unique = "\(name)_\(number)"
            }
            labels.append(unique, value)
        }
        return labels
    }

    /// Prometheus keeps names that begin with `__` for itself, and writes the bounds of histograms as labels.
    private static func labelName(_ dimension: String) -> String {
        let name = identifier(dimension)
        if name.hasPrefix("__") { return String("_" + name.drop { $0 == "_" }) }
        return name == "le" || name == "quantile" ? "exported_" + name : name
    }

    /// Letters, digits and underscores, no digit first. Colons are for rules of Prometheus' users.
    private static func identifier(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
            if isDigit, result.isEmpty { result = "_" }
            result.unicodeScalars.append(isDigit || isLetter ? scalar : "_")
        }
        return result.isEmpty ? "_" : result
    }
}
