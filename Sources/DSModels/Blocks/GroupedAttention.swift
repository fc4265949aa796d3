package import DSGraph
package import DSTensor
internal import FoundationEssentials

/// Multi-head, grouped-query or multi-query attention with rotary positions, optional biases and query/key norms.
package struct GroupedAttention: AttentionBlock {
    private let name: String
    private let shape: GroupedAttentionConfiguration
    private let rope: RopeParameters
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let queryNorm: Norm?
    private let keyNorm: Norm?

    package init(
        _ store: WeightStore, _ prefix: String, _ configuration: ModelConfiguration,
        _ shape: GroupedAttentionConfiguration
    ) throws(ModelError) {
        let (hidden, width) = (configuration.hiddenSize, shape.headDimension)
        name = prefix
        self.shape = shape
        query = try Linear(store, "\(prefix).q_proj", shape.heads * width, hidden, bias: shape.inputBias)
        key = try Linear(store, "\(prefix).k_proj", shape.kvHeads * width, hidden, bias: shape.inputBias)
        value = try Linear(store, "\(prefix).v_proj", shape.kvHeads * width, hidden, bias: shape.inputBias)
        output = try Linear(store, "\(prefix).o_proj", hidden, shape.heads * width, bias: shape.outputBias)
        // After the weights, whose shapes bound the sizes that a hostile configuration can ask for.
        rope = try configuration.rope.parameters(dimension: width, style: configuration.ropeStyle)
        if shape.normalizesQueriesAndKeys {
            queryNorm = try Norm(store, "\(prefix).q_norm", width, configuration.normEpsilon)
            keyNorm = try Norm(store, "\(prefix).k_norm", width, configuration.normEpsilon)
        } else {
            (queryNorm, keyNorm) = (nil, nil)
        }
    }

    package func stateSpecs(_ cacheType: DType) -> [StateSpec] {
        ["keys", "values"].map {
            StateSpec(
                name: "\(name).\($0)", dtype: cacheType, rowWidth: shape.kvHeads * shape.headDimension,
                parts: [shape.headDimension])
        }
    }

    package func trace(_ t: inout Trace, _ x: Value, _ step: StepContext) throws(GraphError) -> Value {
        let specs = stateSpecs(step.options.cacheType)
        let q = try heads(&t, query, queryNorm, shape.heads, x, step)
        let k = try heads(&t, key, keyNorm, shape.kvHeads, x, step)
        let v = try value.trace(&t, x)  // [T, kvHeads · headDim]
        let keys = try t.kvWrite(try t.state(specs[0]), k, slots: step.slots)
        let values = try t.kvWrite(try t.state(specs[1]), v, slots: step.slots)
        let parameters = AttentionParameters(
            kvHeads: shape.kvHeads, scale: Float(1 / Double(shape.headDimension).squareRoot()))
        let mixed = try t.attention(q, keys: keys, values: .state(values), parameters)
        let flat = try t.reshape(mixed, [.tokens, .fixed(shape.heads * shape.headDimension)])
        return try output.trace(&t, flat)
    }

    /// Projected, normalised and rotated heads: `[T, count, headDim]`.
    private func heads(
        _ t: inout Trace, _ projection: Linear, _ norm: Norm?, _ count: Int, _ x: Value, _ step: StepContext
    ) throws(GraphError) -> Value {
        let flat = try projection.trace(&t, x)
        var rows = try t.reshape(flat, [.tokens, .fixed(count), .fixed(shape.headDimension)])
        if let norm { rows = try norm.trace(&t, rows) }
        return try t.rope(rows, step.positions, rope)
    }
}
