import DSGraph
import DSTensor
import DSTestSupport

/// Random graphs over generic operations, with the patterns that fusions look for.
struct RandomGraph {
    private var random: SplitMix
    private var trace = Trace()
    private var pool: [Value] = []
    private var weightCount = 0

    static let width = 8

    private init(seed: UInt64) { random = SplitMix(seed: seed) }

    /// `selects`: the outputs are the step's sampled rows only.
    static func make(seed: UInt64, operations: Int = 24, selects: Bool = false) throws -> Graph {
        var maker = RandomGraph(seed: seed)
        for name in ["x", "y"] {
            maker.pool.append(
                try maker.trace.input(.tensor(name: name), ValueType(.f32, [.tokens, .fixed(width)])))
        }
        for _ in 0..<operations { try maker.grow() }
        var outputs: [(String, Value)] = []
        for index in 0..<3 {
            var value = maker.pool[maker.pool.count - 1 - index]
            if selects { value = try maker.trace.gatherRows(value, maker.trace.input(.sampledRows)) }
            outputs.append(("out\(index)", value))
        }
        return try maker.trace.finish(outputs: outputs)
    }

    private mutating func pick() -> Value { pool[Int.random(in: 0..<pool.count, using: &random)] }

    private mutating func weight(_ dims: [Int]) throws -> WeightRef {
        weightCount += 1
        return try random.weight("w\(weightCount)", dims)
    }

    /// Adds one value `[T, width]` to the pool, by one operation or a pattern of several.
    private mutating func grow() throws {
        let (a, b) = (pick(), pick())
        let width = Self.width
        let result: Value
        switch Int.random(in: 0..<16, using: &random) {
        case 0:
            result = try trace.unary(
                [.tanh, .sigmoid, .silu, .gelu, .negate].randomElement(using: &random) ?? .tanh, a)
        case 1: result = try trace.add(a, b)
        case 2: result = try trace.mul(trace.tanh(a), trace.sigmoid(b))
        case 3: result = try trace.linear(a, weight([width, width]))
        case 4: result = try trace.silu(trace.linear(a, weight([width, width]), bias: weight([width])))
        case 5: result = try trace.rmsNorm(trace.add(a, b), weight([width]), eps: 1e-5)
        case 6: result = try trace.layerNorm(a, weight([width]), bias: weight([width]), eps: 1e-5)
        case 7:
            let left = try trace.slice(a, axis: 1, 0..<3)
            let right = try trace.slice(b, axis: 1, 3..<width)
            result = try trace.concat([left, right], axis: 1)
        case 8:
            let cube = try trace.transpose(trace.reshape(a, [.tokens, 2, 4]), [0, 2, 1])
            result = try trace.reshape(cube, [.tokens, .fixed(width)])
        case 9: result = try trace.affine(trace.affine(a, scale: 1), scale: 0.5, offset: 0.25)
        case 10:
            let gate = try trace.silu(trace.linear(a, weight([12, width])))
            let product = try trace.mul(gate, trace.linear(a, weight([12, width])))
            result = try trace.linear(product, weight([width, 12]))
        case 11: result = try trace.add(trace.linear(a, weight([width, width])), b)
        case 12: result = try trace.softmax(a)
        case 13: result = try attention(a, b)
        case 14:
            let mean = try trace.reshape(trace.reduceMean(a, axis: 1), [.tokens, 1])
            result = try trace.sub(b, mean)
        default:
            let ones = try trace.constant(Tensor([Float](repeating: 1, count: width), shape: [width]))
            let scale = try trace.affine(ones, scale: 3, offset: -2)
            result = try trace.mul(trace.add(a, trace.convert(trace.weight(weight([width])), to: .f32)), scale)
        }
        pool.append(result)
    }

    private mutating func attention(_ a: Value, _ b: Value) throws -> Value {
        let q = try trace.transpose(trace.reshape(a, [.tokens, 2, 4]), [1, 0, 2])
        let k = try trace.transpose(trace.reshape(b, [.tokens, 2, 4]), [1, 0, 2])
        let scores = try trace.softmax(trace.affine(trace.matmul(q, k, transposeB: true), scale: 0.5))
        let mixed = try trace.transpose(trace.matmul(scores, k), [1, 0, 2])
        return try trace.reshape(mixed, [.tokens, .fixed(Self.width)])
    }
}
