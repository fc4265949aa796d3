package import DSGraph
package import DSTensor

/// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1).
///
/// The cache holds one row per token: the normalised latent and one rotated key shared by all heads. The naive form
/// expands the cached rows to keys and values of every head; the absorbed form moves the expansion to the query and the
/// output, so that attention runs on the latents themselves (one key head, values are the first part of the keys). Both
/// compute the same function. Prompt rows may take either form, generated rows take the absorbed one: the choice depends
/// on the token alone, so a result never depends on what else is in the batch.
package struct LatentAttention: AttentionBlock {
    /// DeepSeek's code builds these norms with this epsilon whatever `rms_norm_eps` says.
    private static let latentNormEpsilon: Float = 1e-6

    private let name: String
    private let shape: LatentAttentionConfiguration
    private let rope: RopeParameters
    private let scale: Float
    /// Compresses the queries; nil when they are projected directly.
    private let queryDown: Linear?
    private let queryNorm: Norm?
    private let query: Linear
    private let latentDown: Linear
    private let latentNorm: Norm
    private let up: LatentWeights
    private let output: Linear

    package init(
        _ store: WeightStore, _ prefix: String, _ configuration: ModelConfiguration,
        _ shape: LatentAttentionConfiguration
    ) throws(ModelError) {
        let hidden = configuration.hiddenSize
        let queryWidth = shape.heads * shape.headDimension
        let epsilon = Self.latentNormEpsilon
        name = prefix
        self.shape = shape
        scale = Float(configuration.rope.softmaxCorrection / Double(shape.headDimension).squareRoot())
        if let rank = shape.queryRank {
            queryDown = try Linear(store, "\(prefix).q_a_proj", rank, hidden, bias: shape.bias)
            queryNorm = try Norm(store, "\(prefix).q_a_layernorm", rank, epsilon)
            query = try Linear(store, "\(prefix).q_b_proj", queryWidth, rank)
        } else {
            (queryDown, queryNorm) = (nil, nil)
            query = try Linear(store, "\(prefix).q_proj", queryWidth, hidden)
        }
        latentDown = try Linear(store, "\(prefix).kv_a_proj_with_mqa", shape.cacheWidth, hidden, bias: shape.bias)
        latentNorm = try Norm(store, "\(prefix).kv_a_layernorm", shape.latentRank, epsilon)
        // After the weights, whose shapes bound the sizes that a hostile configuration can ask for.
        rope = try configuration.rope.parameters(dimension: shape.ropeDimension, style: configuration.ropeStyle)
        up = try LatentWeights(store, prefix, shape)
        output = try Linear(store, "\(prefix).o_proj", hidden, shape.heads * shape.valueDimension, bias: shape.bias)
    }

    package func stateSpecs(_ cacheType: DType) -> [StateSpec] {
        [
            StateSpec(
                name: "\(name).latent", dtype: cacheType, rowWidth: shape.cacheWidth,
                parts: [shape.latentRank, shape.ropeDimension])
        ]
    }

    package func trace(_ t: inout Trace, _ x: Value, _ step: StepContext) throws(GraphError) -> Value {
        let q = try queries(&t, x, step)
        let rows = try cacheRows(&t, x, step)
        let spec = stateSpecs(step.options.cacheType)[0]
        let cache = try t.kvWrite(try t.state(spec), rows, slots: step.slots)
        var mixed: Value  // [T, heads, valueDim]
        switch (step.options.latentForm, up.joint) {
        case (.naive, .some(let joint)):
            let prompt = try naive(&t, try t.rows(q, .prompt), cache, joint)
            let decode = try absorbed(&t, try t.rows(q, .decode), cache, .decode)
            mixed = try t.joinRows(prompt, decode)
        default:
            mixed = try absorbed(&t, q, cache, .all)
        }
        mixed = try t.reshape(mixed, [.tokens, .fixed(shape.heads * shape.valueDimension)])
        return try output.trace(&t, mixed)
    }

    /// `[T, heads, nope + rope]`, the last part rotated.
    private func queries(_ t: inout Trace, _ x: Value, _ step: StepContext) throws(GraphError) -> Value {
        var input = x
        if let queryDown, let queryNorm {
            input = try queryNorm.trace(&t, try queryDown.trace(&t, x))
        }
        let flat = try query.trace(&t, input)
        let q = try t.reshape(flat, [.tokens, .fixed(shape.heads), .fixed(shape.headDimension)])
        return try t.rope(q, step.positions, rope, range: shape.nopeDimension..<shape.headDimension)
    }

    /// `[T, latentRank + rope]`: what one token adds to the cache.
    private func cacheRows(_ t: inout Trace, _ x: Value, _ step: StepContext) throws(GraphError) -> Value {
        let down = try latentDown.trace(&t, x)
        let latent = try latentNorm.trace(&t, try t.slice(down, axis: 1, 0..<shape.latentRank))
        let shared = try t.slice(down, axis: 1, shape.latentRank..<shape.cacheWidth)
        return try t.concat([latent, try t.rope(shared, step.positions, rope)], axis: 1)
    }

    /// Attention over expanded keys and values of prompt sequences: `q [P, heads, nope + rope] -> [P, heads, valueDim]`.
    private func naive(
        _ t: inout Trace, _ q: Value, _ cache: StateVersion, _ joint: WeightRef
    ) throws(GraphError) -> Value {
        let heads = Dim.fixed(shape.heads)
        let perHead = shape.nopeDimension + shape.valueDimension
        let context = try t.gatherContext(cache)  // [C, latentRank + rope]
        let expanded = try t.reshape(
            try t.linear(try t.slice(context, axis: 1, 0..<shape.latentRank), joint),
            [.contextRows, heads, .fixed(perHead)])
        let shared = try t.reshape(
            try t.slice(context, axis: 1, shape.latentRank..<shape.cacheWidth),
            [.contextRows, 1, .fixed(shape.ropeDimension)])
        let k = try t.concat(
            [
                try t.slice(expanded, axis: 2, 0..<shape.nopeDimension),
                try t.expand(shared, [.contextRows, heads, .fixed(shape.ropeDimension)]),
            ], axis: 2)
        let v = try t.slice(expanded, axis: 2, shape.nopeDimension..<perHead)
        return try t.attentionContiguous(q, k, v, AttentionParameters(kvHeads: shape.heads, scale: scale))
    }

    /// Attention over the latents: `q [R, heads, nope + rope] -> [R, heads, valueDim]`.
    private func absorbed(
        _ t: inout Trace, _ q: Value, _ cache: StateVersion, _ rows: TokenRows
    ) throws(GraphError) -> Value {
        // Before the product, so that its step can join them.
        let rotated = try t.slice(q, axis: 2, shape.nopeDimension..<shape.headDimension)
        let latentQuery = try t.headLinear(
            try t.slice(q, axis: 2, 0..<shape.nopeDimension), up.keys, transposed: up.keysAreTransposed)
        let full = try t.concat([latentQuery, rotated], axis: 2)  // [R, heads, latentRank + rope]
        let mixed = try t.attention(
            full, keys: cache, values: .viewOfKeys(dimension: shape.latentRank),
            AttentionParameters(kvHeads: 1, scale: scale), rows: rows)
        return try t.headLinear(mixed, up.values)
    }
}
