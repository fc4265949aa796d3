internal import DSTensor

// Level 3: how weights lie in memory.
extension Pass {
    /// Marks the matrices that products read, so that a backend may copy them into the layout that its kernels read fastest
    /// (`CPUWeights` interleaves sixteen rows where a kernel offers that). A copy takes the weight's bytes once more as private
    /// memory, which is why this is the highest level. Matrices that choose experts stay as they are: a backend may multiply
    /// copies with activations of fewer digits, which changes a value a little and a choice altogether.
    static let weightLayout = Pass(
        "weight-layout", level: .layout, summary: "lets the backend lay out anew the matrices that products read"
    ) { rewriter, report throws(GraphError) in
        var bytes: [DType: Int] = [:]
        var counts: [DType: Int] = [:]
        for node in rewriter.nodes.compactMap({ $0 }) {
            guard case .weight(let index) = node.op, rewriter.graph.weights[index].dims.count > 1 else { continue }
            let weight = rewriter.graph.weights[index]
            let readers = rewriter.readers(of: node.outputs[0]).compactMap { rewriter.nodes[$0] }
            guard weight.blockScales.isEmpty, readers.contains(where: { isProduct($0.op) }),
                !readers.contains(where: { choosesExperts(node.outputs[0], $0, rewriter) })
            else { continue }
            rewriter.markRelocatable(index)
            bytes[weight.dtype, default: 0] += weight.byteCount
            counts[weight.dtype, default: 0] += 1
        }
        for (dtype, total) in bytes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            report.notes.append("\(dtype): \(counts[dtype] ?? 0) matrices, \(total) bytes may be laid out anew")
        }
    }

    /// Whether the product of a matrix is what experts are chosen by.
    private static func choosesExperts(_ matrix: ValueID, _ reader: Node, _ rewriter: Rewriter) -> Bool {
        guard let result = product(of: matrix, reader) else { return false }
        return rewriter.readers(of: result).contains { index in
            if case .route = rewriter.nodes[index]?.op { true } else { false }
        }
    }

    /// The result that a reader computes with a matrix, if it has one for each.
    private static func product(of matrix: ValueID, _ reader: Node) -> ValueID? {
        switch reader.op {
        case .linear: return reader.outputs[0]
        case .linearGroup(let forms):
            var operand = 1
            for (form, output) in zip(forms, reader.outputs) {
                if reader.inputs[operand] == matrix { return output }
                operand += form.operandCount
            }
            return nil
        default: return nil
        }
    }

    private static func isProduct(_ op: Op) -> Bool {
        switch op {
        case .linear, .linearGroup, .gateUpSwiGLU, .experts, .headLinear(transposed: false): true
        default: false
        }
    }
}
