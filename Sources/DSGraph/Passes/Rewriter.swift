/// A graph under rewriting: knows who makes and who reads each value while rules replace nodes.
///
/// Nodes keep their positions, so that a rule can reason about order; removed nodes leave a hole until `finish()`.
package struct Rewriter {
    package private(set) var graph: Graph
    package private(set) var nodes: [Node?]
    private var producer: [Int?]
    private var readers: [[Int]]
    private var outputUses: [Int]

    package init(_ graph: Graph) {
        self.graph = graph
        nodes = graph.nodes.map { $0 }
        producer = graph.producers()
        readers = graph.consumers()
        outputUses = [Int](repeating: 0, count: graph.types.count)
        for output in graph.outputs { outputUses[output.value.index] += 1 }
    }

    /// The rewritten graph without holes.
    package consuming func finish() -> Graph {
        var result = graph
        result.nodes = nodes.compactMap { $0 }
        return result
    }

    // MARK: Questions

    package func type(of value: ValueID) -> ValueType { graph.types[value.index] }

    package func producerIndex(of value: ValueID) -> Int? { producer[value.index] }

    package func producerNode(of value: ValueID) -> Node? { producer[value.index].flatMap { nodes[$0] } }

    /// Positions of the nodes that read the value; a node that reads it twice is there twice.
    package func readers(of value: ValueID) -> [Int] { readers[value.index] }

    package func isOutput(_ value: ValueID) -> Bool { outputUses[value.index] > 0 }

    package func useCount(of value: ValueID) -> Int { readers[value.index].count + outputUses[value.index] }

    /// The node that alone reads the value.
    package func soleReader(of value: ValueID) -> Int? {
        outputUses[value.index] == 0 && readers[value.index].count == 1 ? readers[value.index][0] : nil
    }

    /// Index of a constant when a constant makes the value.
    package func constantIndex(of value: ValueID) -> Int? {
        if case .constant(let index)? = producerNode(of: value)?.op { index } else { nil }
    }

    /// Whether every value is made before the position.
    package func available(_ values: some Sequence<ValueID>, before position: Int) -> Bool {
        values.allSatisfy { value in producer[value.index].map { $0 < position } ?? false }
    }

    // MARK: Changes

    package mutating func makeValue(_ type: ValueType) -> ValueID {
        producer.append(nil)
        readers.append([])
        outputUses.append(0)
        return graph.makeValue(type)
    }

    package mutating func markRelocatable(_ weight: Int) { graph.relocatableWeights.insert(weight) }

    package mutating func addConstant(_ make: (inout Graph) -> Int) -> Op { .constant(make(&graph)) }

    /// Puts another node at a position.
    package mutating func replace(_ position: Int, with node: Node) {
        remove(position)
        nodes[position] = node
        for input in node.inputs { readers[input.index].append(position) }
        for output in node.outputs { producer[output.index] = position }
    }

    package mutating func remove(_ position: Int) {
        guard let old = nodes[position] else { return }
        for input in old.inputs {
            if let found = readers[input.index].firstIndex(of: position) { readers[input.index].remove(at: found) }
        }
        for output in old.outputs where producer[output.index] == position { producer[output.index] = nil }
        nodes[position] = nil
    }

    /// Every reader of `old`, and every graph output that is `old`, takes `new`.
    package mutating func replaceUses(of old: ValueID, with new: ValueID) {
        for position in Set(readers[old.index]) {
            guard var node = nodes[position] else { continue }
            for (operand, input) in node.inputs.enumerated() where input == old {
                node.inputs[operand] = new
                readers[new.index].append(position)
            }
            nodes[position] = node
        }
        readers[old.index] = []
        for (index, output) in graph.outputs.enumerated() where output.value == old {
            graph.outputs[index].value = new
            outputUses[new.index] += 1
            outputUses[old.index] -= 1
        }
    }
}
