package import DSTensor

/// A number that names one value of one graph.
package struct ValueID: Hashable, Sendable, Comparable {
    package let index: Int
    package static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }
}

/// A value as tracing code sees it.
package struct Value: Hashable, Sendable {
    package let id: ValueID
    package let type: ValueType

    package var dims: [Dim] { type.dims }
}

/// One version of a state: what a reader of the cache sees, and what the next write replaces.
package struct StateVersion: Hashable, Sendable {
    package let value: Value
    package let spec: StateSpec
}

package struct Node: Hashable, Sendable {
    package var op: Op
    package var inputs: [ValueID]
    package var outputs: [ValueID]
    /// Index into `Graph.scopes`: which part of the model asked for it.
    package var scope: Int

    package init(op: Op, inputs: [ValueID], outputs: [ValueID], scope: Int) {
        self.op = op
        self.inputs = inputs
        self.outputs = outputs
        self.scope = scope
    }
}

package struct GraphOutput: Hashable, Sendable {
    package let name: String
    package var value: ValueID
}

/// A traced network: nodes in execution order over typed values. A pure value; passes return new graphs.
package struct Graph: Sendable {
    package var nodes: [Node] = []
    package var types: [ValueType] = []
    package var inputs: [GraphInput] = []
    package var weights: [WeightRef] = []
    package var states: [StateSpec] = []
    package var constants: [Tensor] = []
    package var scopes: [String] = [""]
    package var outputs: [GraphOutput] = []
    /// Indices of weights of which a backend may keep a copy in a layout of its own for matrix products.
    package var relocatableWeights: Set<Int> = []

    package init() {}

    package mutating func makeValue(_ type: ValueType) -> ValueID {
        types.append(type)
        return ValueID(index: types.count - 1)
    }

    package func type(of value: ValueID) -> ValueType { types[value.index] }

    /// Index of the node that makes each value.
    package func producers() -> [Int?] {
        var result = [Int?](repeating: nil, count: types.count)
        for (index, node) in nodes.enumerated() {
            for output in node.outputs { result[output.index] = index }
        }
        return result
    }

    /// Nodes that read each value, in order, one entry per use.
    package func consumers() -> [[Int]] {
        var result = [[Int]](repeating: [], count: types.count)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { result[input.index].append(index) }
        }
        return result
    }

    /// Equal for graphs with the same operations, shapes, formats and wiring; weights' contents do not count.
    package var structureHash: Int {
        var hasher = Hasher()
        for node in nodes { hasher.combine(node) }
        for type in types { hasher.combine(type) }
        for input in inputs { hasher.combine(input) }
        for state in states { hasher.combine(state) }
        for weight in weights {
            hasher.combine(weight.name)
            hasher.combine(weight.dims)
            hasher.combine(weight.dtype)
        }
        for output in outputs { hasher.combine(output) }
        return hasher.finalize()
    }
}
