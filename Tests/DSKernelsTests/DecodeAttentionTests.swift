import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Decoded rows, whose keys are visited in ranges: against the definition in double precision, and bit-exact however workers share
/// them and whatever else is in the batch.
@Suite struct DecodeAttentionTests {
    struct Shape: CustomStringConvertible, Sendable {
        let heads, kvHeads, dk, dv: Int
        var window: Int?
        /// Context lengths of the sequences.
        let contexts: [Int]
        var sharesValues: Bool { dv < dk }
        var description: String { "\(heads)/\(kvHeads) heads of \(dk), \(dv), window \(window ?? 0), \(contexts)" }
    }

    static let shapes = [
        Shape(heads: 6, kvHeads: 2, dk: 24, dv: 24, contexts: [1, 255, 256, 257, 2_000]),
        Shape(heads: 20, kvHeads: 1, dk: 40, dv: 32, contexts: [5_000, 700]),
        Shape(heads: 4, kvHeads: 4, dk: 16, dv: 16, contexts: [600]),
        Shape(heads: 4, kvHeads: 2, dk: 16, dv: 16, window: 300, contexts: [1_500, 40]),
    ]

    /// Queries and keys of all sequences, one after the other.
    struct Data {
        let q, k, v: [Float]
        let starts: [Int]

        init(_ shape: Shape) {
            var numbers = SplitMix(seed: 90)
            q = numbers.floats(shape.contexts.count * shape.heads * shape.dk)
            let rows = shape.contexts.reduce(0, +)
            k = numbers.floats(rows * shape.kvHeads * shape.dk)
            v = shape.sharesValues ? k : numbers.floats(rows * shape.kvHeads * shape.dv)
            starts = shape.contexts.indices.map { shape.contexts[..<$0].reduce(0, +) }
        }
    }

    /// - Parameter sharedItems: items that workers may share; 0: none.
    private func run(
        _ kernels: KernelSet, _ shape: Shape, _ data: Data, sequences chosen: Range<Int>, workers: Int,
        sharedItems: Int, threads: ThreadPool? = nil
    ) -> [Float] {
        var out = [Float](repeating: .nan, count: chosen.count * shape.heads * shape.dv)
        let sequences = chosen.map { index in
            AttentionSequence(
                queryStart: index - chosen.lowerBound, queryCount: 1, contextLength: shape.contexts[index], blocks: nil,
                keyStart: data.starts[index])
        }
        var partials = [Float](
            repeating: .nan, count: AttentionWorkspace.floatCount(items: sharedItems, valueDimension: shape.dv))
        var arrivals = [Int32](repeating: 0, count: sharedItems)
        out.withUnsafeMutableBufferPointer { out in
            partials.withUnsafeMutableBufferPointer { partials in
                arrivals.withUnsafeMutableBufferPointer { arrivals in
                    data.q.withUnsafeBufferPointer { q in
                        data.k.withUnsafeBytes { k in
                            data.v.withUnsafeBytes { v in
                                sequences.withUnsafeBufferPointer { sequences in
                                    let rowBytes = (shape.sharesValues ? shape.dk : shape.dv) * shape.kvHeads * 4
                                    let arguments = AttentionArguments(
                                        queries: q.baseAddress! + chosen.lowerBound * shape.heads * shape.dk,
                                        keys: k.baseAddress!,
                                        values: shape.sharesValues ? k.baseAddress! : v.baseAddress!,
                                        valueRowBytes: rowBytes, cacheType: .f32, out: out.baseAddress!,
                                        sequences: sequences.baseAddress!, sequenceCount: sequences.count,
                                        headCount: shape.heads, kvHeadCount: shape.kvHeads, keyDimension: shape.dk,
                                        valueDimension: shape.dv, scale: 0.3, window: shape.window,
                                        decodedFrom: 0,
                                        workspace: sharedItems == 0
                                            ? nil
                                            : AttentionWorkspace(
                                                itemCount: sharedItems, partials: partials.baseAddress!,
                                                arrivals: arrivals.baseAddress!))
                                    if let threads {
                                        threads.run { share in kernels.attention(arguments, share: share) }
                                    } else {
                                        forEachShare(of: workers) { kernels.attention(arguments, share: $0) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        #expect(arrivals == [Int32](repeating: 0, count: sharedItems))
        return out
    }

    private func exact(_ shape: Shape, _ data: Data) -> [Float] {
        var out: [Float] = []
        for (index, context) in shape.contexts.enumerated() {
            for head in 0..<shape.heads {
                let group = head / (shape.heads / shape.kvHeads)
                let first = shape.window.map { max(0, context - $0) } ?? 0
                var scores: [Double] = []
                for row in first..<context {
                    var score = 0.0
                    for d in 0..<shape.dk {
                        let x = data.q[(index * shape.heads + head) * shape.dk + d]
                        let y = data.k[((data.starts[index] + row) * shape.kvHeads + group) * shape.dk + d]
                        score += Double(x) * Double(y)
                    }
                    scores.append(score * 0.3)
                }
                let greatest = scores.max() ?? 0
                let weights = scores.map { exponential($0 - greatest) }
                let total = weights.reduce(0, +)
                let width = shape.sharesValues ? shape.dk : shape.dv
                for d in 0..<shape.dv {
                    var sum = 0.0
                    for (offset, weight) in weights.enumerated() {
                        let row = data.starts[index] + first + offset
                        sum += weight * Double(data.v[(row * shape.kvHeads + group) * width + d])
                    }
                    out.append(Float(sum / total))
                }
            }
        }
        return out
    }

    @Test(arguments: tiers, shapes)
    func matchesTheDefinition(tier: KernelTier, shape: Shape) throws {
        let (kernels, data) = (try kernels(tier), Data(shape))
        let all = shape.contexts.indices
        let expected = exact(shape, data)
        #expect(relativeError(run(kernels, shape, data, sequences: all, workers: 2, sharedItems: 0), expected) < 3e-6)
        #expect(relativeError(run(kernels, shape, data, sequences: all, workers: 2, sharedItems: 64), expected) < 3e-6)
    }

    @Test(arguments: tiers, shapes)
    func sharingAndTheBatchDoNotChangeABit(tier: KernelTier, shape: Shape) throws {
        let (kernels, data) = (try kernels(tier), Data(shape))
        let all = shape.contexts.indices
        let row = shape.heads * shape.dv
        let whole = run(kernels, shape, data, sequences: all, workers: 1, sharedItems: 0)
        for workers in [1, 2, 3, 16] {
            #expect(run(kernels, shape, data, sequences: all, workers: workers, sharedItems: 64) == whole)
        }
        for index in all {
            let alone = run(kernels, shape, data, sequences: index..<index + 1, workers: 5, sharedItems: 4)
            #expect(alone == Array(whole[index * row..<(index + 1) * row]), "sequence \(index)")
        }
    }

    /// Threads that really run at the same time: whoever comes last merges, again and again to the same bits.
    @Test(arguments: tiers, shapes)
    func threadsShareARow(tier: KernelTier, shape: Shape) throws {
        let (kernels, data) = (try kernels(tier), Data(shape))
        let all = shape.contexts.indices
        let whole = run(kernels, shape, data, sequences: all, workers: 1, sharedItems: 0)
        for count in [2, 4] {
            let pool = try ThreadPool(threadCount: count)
            for turn in 0..<20 {
                let found = run(kernels, shape, data, sequences: all, workers: 0, sharedItems: 64, threads: pool)
                #expect(found == whole, "\(count) threads, turn \(turn)")
            }
        }
    }
}
