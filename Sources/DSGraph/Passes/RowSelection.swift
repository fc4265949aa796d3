internal import DSTensor

extension Pass {
    static let rowSelection = Pass(
        "row-selection", level: .simplify, summary: "selects rows before work on rows that nobody reads"
    ) { rewriter, report throws(GraphError) in
        var graph = rewriter.graph
        let selections = graph.nodes.filter { $0.op == .gatherRows }.map { $0.inputs[1] }
        for rows in Set(selections).sorted() {
            guard let selection = RowSelection(graph, rows) else { continue }
            report.rewrites["moved past", default: 0] += selection.moved
            report.notes.append("\(selection.products) of them multiply weights, with the selected rows only")
            graph = selection.graph
        }
        rewriter = Rewriter(graph)
    }
}

/// `gatherRows(f(x), rows)` as `f(gatherRows(x, rows))` for all operations whose other rows nobody reads.
///
/// Of a prompt only the last row has logits that anybody wants, so what follows the last layer's attention is needed for that row alone:
/// its output projection and its feed-forward part, a layer's worth of work but for the attention. A graph whose residual stream or
/// hidden states are outputs keeps all rows. Kernels compute a row alike whatever others there are, so no bit changes.
private struct RowSelection {
    private(set) var graph: Graph
    /// Operations that compute selected rows only now.
    private(set) var moved = 0
    /// Those among them that multiply weights.
    private(set) var products = 0
    private let rows: ValueID
    /// The selected rows of a value, once somebody asked for them.
    private var selected: [ValueID: ValueID] = [:]
    /// Results of selections that are no longer needed, and what holds the same rows.
    private var replacements: [ValueID: ValueID] = [:]
    private var nodes: [Node] = []

    /// Nil: no product with weights would have fewer rows.
    init?(_ graph: Graph, _ rows: ValueID) {
        self.graph = graph
        self.rows = rows
        // Rows that a step brings are there before everything else.
        guard let leaf = graph.nodes.first(where: { $0.outputs == [rows] }), leaf.op.isLeaf,
            graph.type(of: rows).dims.first != .tokens
        else { return nil }
        let movable = Self.movable(graph, rows)
        guard graph.nodes.indices.contains(where: { movable[$0] && graph.nodes[$0].op.multipliesWeights }) else {
            return nil
        }
        nodes = [leaf]
        for (position, original) in graph.nodes.enumerated() where original != leaf {
            var node = original
            node.inputs = node.inputs.map { replacements[$0] ?? $0 }
            if movable[position] {
                move(node)
            } else if isSelection(node), let value = selected[node.inputs[0]] {
                replacements[node.outputs[0]] = value
            } else {
                nodes.append(node)
                if isSelection(node) { selected[node.inputs[0]] = node.outputs[0] }
            }
        }
        self.graph.nodes = nodes
        for (index, output) in graph.outputs.enumerated() {
            if let value = replacements[output.value] { self.graph.outputs[index].value = value }
        }
    }

    private func isSelection(_ node: Node) -> Bool { node.op == .gatherRows && node.inputs[1] == rows }

    /// Of each node, whether it works row by row and all that reads its results selects `rows`, by itself or later.
    private static func movable(_ graph: Graph, _ rows: ValueID) -> [Bool] {
        var result = [Bool](repeating: false, count: graph.nodes.count)
        let readers = graph.consumers()
        let outputs = Set(graph.outputs.map(\.value))
        for position in graph.nodes.indices.reversed() {
            let node = graph.nodes[position]
            guard node.worksByRow(graph) else { continue }
            result[position] =
                node.outputs.contains { !readers[$0.index].isEmpty }
                && node.outputs.allSatisfy { value in
                    !outputs.contains(value)
                        && readers[value.index].allSatisfy { reader in
                            result[reader]
                                || graph.nodes[reader].op == .gatherRows && graph.nodes[reader].inputs[1] == rows
                        }
                }
        }
        return result
    }

    /// The node over selected rows.
    private mutating func move(_ node: Node) {
        var node = node
        if case .reshape(var dims) = node.op {
            dims[0] = count
            node.op = .reshape(dims)
        }
        node.inputs = node.inputs.map { graph.type(of: $0).dims.first == .tokens ? selection(of: $0, node.scope) : $0 }
        node.outputs = node.outputs.map { output in
            let value = selectedValue(of: output)
            selected[output] = value
            return value
        }
        nodes.append(node)
        moved += 1
        if node.op.multipliesWeights { products += 1 }
    }

    private var count: Dim { graph.type(of: rows).dims[0] }

    private mutating func selectedValue(of value: ValueID) -> ValueID {
        let type = graph.type(of: value)
        return graph.makeValue(ValueType(type.dtype, [count] + type.dims.dropFirst()))
    }

    private mutating func selection(of value: ValueID, _ scope: Int) -> ValueID {
        if let known = selected[value] { return known }
        let result = selectedValue(of: value)
        nodes.append(Node(op: .gatherRows, inputs: [value, rows], outputs: [result], scope: scope))
        selected[value] = result
        return result
    }
}

extension Op {
    fileprivate var multipliesWeights: Bool {
        switch self {
        case .linear, .headLinear, .experts: true
        default: false
        }
    }
}

extension Node {
    /// Whether each row of its results depends on the same row of its operands, and on operands without such rows. Rows are the first
    /// dimension, one for each token of the step.
    fileprivate func worksByRow(_ graph: Graph) -> Bool {
        switch op {
        case .unary, .affine, .convert, .binary, .linear, .headLinear, .route, .experts: break
        case .softmax, .rmsNorm, .layerNorm: if graph.type(of: inputs[0]).rank < 2 { return false }
        case .reduce(_, let axis), .concat(let axis), .slice(let axis, _): if axis == 0 { return false }
        case .reshape(let dims): if dims.first != .tokens { return false }
        default: return false
        }
        let rank = graph.type(of: outputs[0]).rank
        return outputs.allSatisfy { Self.hasRows(graph.type(of: $0)) }
            && inputs.allSatisfy { input in
                let type = graph.type(of: input)
                if !type.dims.contains(.tokens) { return true }
                // What is selected at the border: numbers of four bytes. Broadcasting aligns the last dimensions.
                guard Self.hasRows(type), type.dtype == .f32 || type.dtype == .i32 else { return false }
                if case .binary = op { return type.rank == rank }
                return true
            }
    }

    private static func hasRows(_ type: ValueType) -> Bool {
        type.dims.first == .tokens && !type.dims.dropFirst().contains(.tokens)
    }
}
