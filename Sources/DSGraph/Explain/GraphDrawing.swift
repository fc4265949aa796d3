internal import DSTensor

// Graphviz text of a graph: `dot -Tsvg` draws it.
extension Graph {
    /// Nodes grouped by scope; weights appear in the labels of their readers, so that the picture shows the data flow.
    package func dot(scope prefix: String? = nil) -> String {
        let producers = producers()
        var lines = [
            "digraph model {", "  rankdir=TB;",
            "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#eef4ff\", fontname=Helvetica];",
        ]
        for (index, node) in nodes.enumerated() where isDrawn(node, prefix) {
            let result = node.outputs.map { type(of: $0).description }.joined(separator: "\\n")
            let label = ([node.op.name] + weightNames(node, producers) + [result]).joined(separator: "\\n")
            lines.append(
                "  n\(index) [label=\"\(Self.escape(label))\", tooltip=\"\(Self.escape(scopes[node.scope]))\"];")
            for input in node.inputs {
                guard let source = producers[input.index], isDrawn(nodes[source], prefix) else { continue }
                lines.append("  n\(source) -> n\(index);")
            }
        }
        lines.append("}")
        return lines.joined(separator: "\n")
    }

    /// The scopes of which something can be drawn, in the order of their first node.
    package var drawnScopes: [String] {
        var seen: Set<String> = []
        return nodes.filter { isDrawn($0, nil) }.map { scopes[$0.scope] }.filter { seen.insert($0).inserted }
    }

    private func isDrawn(_ node: Node, _ prefix: String?) -> Bool {
        switch node.op {
        case .weight, .constant: false
        default: prefix.map { scopes[node.scope].hasPrefix($0) } ?? true
        }
    }

    private func weightNames(_ node: Node, _ producers: [Int?]) -> [String] {
        node.inputs.compactMap { input in
            guard let source = producers[input.index], case .weight(let index) = nodes[source].op else { return nil }
            return "\(weights[index].name) \(weights[index].dtype)"
        }
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for character in text { result += character == "\"" ? "\\\"" : String(character) }
        return result
    }
}
