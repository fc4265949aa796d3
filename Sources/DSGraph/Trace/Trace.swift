package import DSTensor

/// Records a graph: a model is a Swift function over `Value`s that calls these operations.
///
/// Every function checks shapes at once and throws a `GraphError` that names the scope, so a mistake in a model is found
/// at the line that makes it. Weights and states are interned by name: using one twice makes one leaf.
package struct Trace: Sendable {
    private(set) var graph = Graph()
    private var scopeStack: [String] = []
    private var weightValues: [String: Value] = [:]
    private var stateVersions: [String: StateVersion] = [:]
    private var inputValues: [InputKind: Value] = [:]

    package init() {}

    /// Names the nodes that `body` makes, for errors and explanations: `layers.3.attention`.
    package mutating func scope<Result>(
        _ name: String, _ body: (inout Trace) throws(GraphError) -> Result
    ) throws(GraphError) -> Result {
        let outer = currentScope
        scopeStack.append(name)
        graph.scopes.append(scopeStack.joined(separator: "."))
        currentScope = graph.scopes.count - 1
        defer {
            scopeStack.removeLast()
            currentScope = outer
        }
        return try body(&self)
    }
    private var currentScope = 0

    /// Ends the trace. Outputs are named values that stay readable after a step.
    package mutating func finish(outputs: [(name: String, value: Value)]) throws(GraphError) -> Graph {
        var result = graph
        // Leaves first: passes may then merge nodes without asking where their weights are made.
        result.nodes = graph.nodes.filter(\.op.isLeaf) + graph.nodes.filter { !$0.op.isLeaf }
        for output in outputs {
            if result.outputs.contains(where: { $0.name == output.name }) {
                throw .duplicateName(kind: "output", name: output.name)
            }
            result.outputs.append(GraphOutput(name: output.name, value: output.value.id))
        }
        try result.verify()
        return result
    }

    // MARK: Leaves

    package mutating func input(_ kind: InputKind, _ type: ValueType) throws(GraphError) -> Value {
        if let known = inputValues[kind] {
            if known.type == type { return known }
            throw .shape(
                op: "input", scope: graph.scopes[currentScope], expected: known.type.description,
                found: type.description)
        }
        graph.inputs.append(GraphInput(kind: kind, type: type))
        let value = try emit(.input(graph.inputs.count - 1), [])
        inputValues[kind] = value
        return value
    }

    /// The inputs that every language model has: their types are fixed.
    package mutating func input(_ kind: InputKind) throws(GraphError) -> Value {
        switch kind {
        case .tokenIDs, .positions, .slots: return try input(kind, ValueType(.i32, [.tokens]))
        case .sampledRows: return try input(kind, ValueType(.i32, [.sampledRows]))
        case .tensor(let name):
            throw .shape(
                op: "input", scope: graph.scopes[currentScope], expected: "a type for '\(name)'", found: "none")
        }
    }

    package mutating func weight(_ reference: WeightRef) throws(GraphError) -> Value {
        if let known = weightValues[reference.name] {
            if known.type == reference.type { return known }
            throw .duplicateName(kind: "weight", name: reference.name)
        }
        graph.weights.append(reference)
        let value = try emit(.weight(graph.weights.count - 1), [])
        weightValues[reference.name] = value
        return value
    }

    package mutating func constant(_ tensor: Tensor) throws(GraphError) -> Value {
        graph.constants.append(tensor)
        return try emit(.constant(graph.constants.count - 1), [])
    }

    /// The newest version of a state: reads see every write traced before them.
    package mutating func state(_ spec: StateSpec) throws(GraphError) -> StateVersion {
        if let known = stateVersions[spec.name] {
            if known.spec == spec { return known }
            throw .duplicateName(kind: "state", name: spec.name)
        }
        if let width = spec.unfitPart {
            throw .shape(
                op: "state '\(spec.name)'", scope: "",
                expected: "parts of a multiple of \(spec.dtype.blockElements) elements in \(spec.dtype)",
                found: "\(width)")
        }
        graph.states.append(spec)
        let version = StateVersion(value: try emit(.state(graph.states.count - 1), []), spec: spec)
        stateVersions[spec.name] = version
        return version
    }

    mutating func advance(_ state: StateVersion, to value: Value) -> StateVersion {
        let version = StateVersion(value: value, spec: state.spec)
        stateVersions[state.spec.name] = version
        return version
    }

    // MARK: Nodes

    mutating func emit(_ op: Op, _ inputs: [Value]) throws(GraphError) -> Value {
        let results = try emitMany(op, inputs)
        return results[0]
    }

    mutating func emitMany(_ op: Op, _ inputs: [Value]) throws(GraphError) -> [Value] {
        let inference = ShapeInference(
            graph: graph, op: op, inputs: inputs.map(\.type), scope: graph.scopes[currentScope])
        let types = try inference.result()
        let values = types.map { Value(id: graph.makeValue($0), type: $0) }
        graph.nodes.append(
            Node(op: op, inputs: inputs.map(\.id), outputs: values.map(\.id), scope: currentScope))
        return values
    }
}
