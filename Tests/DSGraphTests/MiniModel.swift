import DSGraph
import DSKernels
import DSTensor
import DSTestSupport

/// Small decoders with random weights: grouped-query attention, and MLA with a mixture of experts.
enum MiniModel {
    static let vocabulary = 48
    static let hidden = 32

    private static let rope = RopeParameters(
        dimension: 8, style: .halfSplit, inverseFrequencies: [1, 0.3, 0.1, 0.03])
    private static let interleaved = RopeParameters(
        dimension: 8, style: .interleaved, inverseFrequencies: [1, 0.3, 0.1, 0.03])

    /// Two layers with 4 query heads over 2 key heads of 8 (32 where the cache has blocks), biases, SwiGLU.
    static func groupedQuery(seed: UInt64 = 7, cache: DType = .f32) throws -> Graph {
        var random = SplitMix(seed: seed)
        var t = Trace()
        let width = cache.isBlockQuantized ? 32 : 8
        let (ids, positions, slots) = (try t.input(.tokenIDs), try t.input(.positions), try t.input(.slots))
        let table = try random.weight("embed", [vocabulary, hidden], scale: 1)
        var x = try t.embedding(ids, table)
        for layer in 0..<2 {
            let name = "layers.\(layer)"
            func weight(_ part: String, _ dims: [Int]) throws -> WeightRef {
                try random.weight("\(name).\(part)", dims)
            }
            let normed = try t.rmsNorm(x, weight("norm1", [hidden]), eps: 1e-6)
            func state(_ part: String) -> StateSpec {
                StateSpec(name: "\(name).\(part)", dtype: cache, rowWidth: 2 * width, parts: [width])
            }
            let q = try t.linear(normed, weight("q", [4 * width, hidden]), bias: weight("qb", [4 * width]))
            let k = try t.linear(normed, weight("k", [2 * width, hidden]), bias: weight("kb", [2 * width]))
            let v = try t.linear(normed, weight("v", [2 * width, hidden]), bias: weight("vb", [2 * width]))
            let queries = try t.rope(t.reshape(q, [.tokens, 4, .fixed(width)]), positions, rope, range: 0..<8)
            let rotated = try t.rope(t.reshape(k, [.tokens, 2, .fixed(width)]), positions, rope, range: 0..<8)
            let keys = try t.kvWrite(t.state(state("k")), rotated, slots: slots)
            let values = try t.kvWrite(t.state(state("v")), v, slots: slots)
            let mixed = try t.attention(
                queries, keys: keys, values: .state(values), AttentionParameters(kvHeads: 2, scale: 0.35))
            let out = try t.linear(
                t.reshape(mixed, [.tokens, .fixed(4 * width)]), weight("o", [hidden, 4 * width]))
            x = try t.add(x, out)
            let second = try t.rmsNorm(x, weight("norm2", [hidden]), eps: 1e-6)
            let gate = try t.silu(t.linear(second, weight("gate", [64, hidden])))
            let up = try t.linear(second, weight("up", [64, hidden]))
            x = try t.add(x, t.linear(t.mul(gate, up), weight("down", [hidden, 64])))
        }
        return try finish(&t, x, table, &random)
    }

    enum MLAForm { case absorbed, mixed }

    /// Two MLA layers, a mixture of 8 experts with groups and a shared expert. `absorbed` runs every row in the absorbed
    /// form; `mixed` runs prompt rows in the naive form.
    static func latent(_ form: MLAForm, seed: UInt64 = 11, cache: DType = .f32) throws -> Graph {
        var random = SplitMix(seed: seed)
        var t = Trace()
        let (ids, positions) = (try t.input(.tokenIDs), try t.input(.positions))
        let table = try random.weight("embed", [vocabulary, hidden], scale: 1)
        var x = try t.embedding(ids, table)
        for layer in 0..<2 {
            x = try attentionLayer(&t, x, positions, form, "layers.\(layer)", cache, &random)
            x = try expertLayer(&t, x, "layers.\(layer)", &random)
        }
        return try finish(&t, x, table, &random)
    }

    private static let (heads, nope, latentWidth, valueWidth) = (4, 16, 32, 16)

    private static func attentionLayer(
        _ t: inout Trace, _ x: Value, _ positions: Value, _ form: MLAForm, _ name: String, _ cache: DType,
        _ random: inout SplitMix
    ) throws -> Value {
        let rotary = cache.isBlockQuantized ? 32 : 8
        let normed = try t.rmsNorm(x, random.weight("\(name).norm1", [hidden]), eps: 1e-6)
        let q = try t.linear(normed, random.weight("\(name).q", [heads * (nope + rotary), hidden]))
        let queries = try t.rope(
            t.reshape(q, [.tokens, .fixed(heads), .fixed(nope + rotary)]), positions, interleaved,
            range: nope..<nope + 8)
        let compressed = try t.linear(normed, random.weight("\(name).kva", [latentWidth + rotary, hidden]))
        let latent = try t.rmsNorm(
            t.slice(compressed, axis: 1, 0..<latentWidth), random.weight("\(name).kvnorm", [latentWidth]), eps: 1e-6)
        let key = try t.rope(
            t.slice(compressed, axis: 1, latentWidth..<latentWidth + rotary), positions, interleaved, range: 0..<8)
        let spec = StateSpec(
            name: "\(name).kv", dtype: cache, rowWidth: latentWidth + rotary, parts: [latentWidth, rotary])
        let state = try t.kvWrite(t.state(spec), t.concat([latent, key], axis: 1), slots: t.input(.slots))
        let expand = try random.weight("\(name).kvb", [heads * (nope + valueWidth), latentWidth])
        let parameters = AttentionParameters(kvHeads: 1, scale: 0.2)
        let mixed: Value
        if form == .absorbed {
            mixed = try absorbed(&t, queries, state, expand, .all, parameters)
        } else {
            let prompt = try naive(&t, t.rows(queries, .prompt), state, expand)
            let decode = try absorbed(&t, t.rows(queries, .decode), state, expand, .decode, parameters)
            mixed = try t.joinRows(prompt, decode)
        }
        let flat = try t.reshape(mixed, [.tokens, .fixed(heads * valueWidth)])
        return try t.add(x, t.linear(flat, random.weight("\(name).o", [hidden, heads * valueWidth])))
    }

    /// Rows of each head in the key-value expansion: first the keys', then the values'.
    private static func headSlices(_ expand: WeightRef, _ rows: Range<Int>, _ suffix: String) throws -> WeightRef {
        let perHead = nope + valueWidth
        let parts = try (0..<heads).map { head in
            try expand.parts[0].slice(head * perHead + rows.lowerBound..<head * perHead + rows.upperBound)
        }
        return try WeightRef(name: expand.name + suffix, stack: parts)
    }

    private static func absorbed(
        _ t: inout Trace, _ q: Value, _ state: StateVersion, _ expand: WeightRef, _ rows: TokenRows,
        _ parameters: AttentionParameters
    ) throws -> Value {
        let rotary = (q.dims[2].fixedSize ?? 0) - nope
        let keyUp = try headSlices(expand, 0..<nope, ".k")
        let valueUp = try headSlices(expand, nope..<nope + valueWidth, ".v")
        let inner = try t.headLinear(t.slice(q, axis: 2, 0..<nope), keyUp, transposed: true)
        let full = try t.concat([inner, t.slice(q, axis: 2, nope..<nope + rotary)], axis: 2)
        let mixed = try t.attention(
            full, keys: state, values: .viewOfKeys(dimension: latentWidth), parameters, rows: rows)
        return try t.headLinear(mixed, valueUp)
    }

    private static func naive(
        _ t: inout Trace, _ q: Value, _ state: StateVersion, _ expand: WeightRef
    ) throws -> Value {
        let rotary = (q.dims[2].fixedSize ?? 0) - nope
        let context = try t.gatherContext(state)
        let latent = try t.slice(context, axis: 1, 0..<latentWidth)
        let pairs = try t.reshape(
            t.linear(latent, expand), [.contextRows, .fixed(heads), .fixed(nope + valueWidth)])
        let shared = try t.reshape(
            t.slice(context, axis: 1, latentWidth..<latentWidth + rotary), [.contextRows, 1, .fixed(rotary)])
        let repeated = try t.expand(shared, [.contextRows, .fixed(heads), .fixed(rotary)])
        let keys = try t.concat([t.slice(pairs, axis: 2, 0..<nope), repeated], axis: 2)
        let values = try t.slice(pairs, axis: 2, nope..<nope + valueWidth)
        return try t.attentionContiguous(q, keys, values, AttentionParameters(kvHeads: heads, scale: 0.2))
    }

    private static func expertLayer(
        _ t: inout Trace, _ x: Value, _ name: String, _ random: inout SplitMix
    ) throws -> Value {
        let normed = try t.rmsNorm(x, random.weight("\(name).norm2", [hidden]), eps: 1e-6)
        let logits = try t.linear(normed, random.weight("\(name).router", [8, hidden]))
        let routing = RoutingParameters(
            expertCount: 8, topK: 3, scoring: .sigmoid, groupCount: 4, topGroups: 2, groupScore: .sumOfTop2,
            normalize: true, scale: 1.5)
        let (ids, weights) = try t.route(logits, bias: random.weight("\(name).bias", [8]), routing)
        let routed = try t.experts(
            normed, ids: ids, weights: weights, gate: random.weight("\(name).eg", [8, 24, hidden]),
            up: random.weight("\(name).eu", [8, 24, hidden]), down: random.weight("\(name).ed", [8, hidden, 24]))
        let gate = try t.silu(t.linear(normed, random.weight("\(name).sg", [40, hidden])))
        let up = try t.linear(normed, random.weight("\(name).su", [40, hidden]))
        let shared = try t.linear(t.mul(gate, up), random.weight("\(name).sd", [hidden, 40]))
        return try t.add(x, t.add(routed, shared))
    }

    private static func finish(
        _ t: inout Trace, _ x: Value, _ table: WeightRef, _ random: inout SplitMix
    ) throws -> Graph {
        let last = try t.gatherRows(x, t.input(.sampledRows))
        let normed = try t.rmsNorm(last, random.weight("norm", [hidden]), eps: 1e-6)
        let logits = try t.linear(normed, table)
        return try t.finish(outputs: [("logits", logits), ("hidden", last)])
    }
}
