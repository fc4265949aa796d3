import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Attention over a cache of Q8_0: the same function as over a cache of the floats that its blocks stand for, as near to the rows
/// that were stored as the format says, and bit-exact whatever shares the call.
@Suite struct QuantizedCacheTests {
    struct Shape: CustomStringConvertible, Sendable {
        let heads, kvHeads, dk, dv, context, queries: Int
        var window: Int?
        var sharesValues: Bool { dv < dk }
        var description: String {
            "\(heads)/\(kvHeads) heads of \(dk), \(dv), \(queries) of \(context), window \(window ?? 0)"
        }
    }

    static let shapes = [
        Shape(heads: 6, kvHeads: 2, dk: 64, dv: 64, context: 300, queries: 70),
        Shape(heads: 12, kvHeads: 2, dk: 128, dv: 128, context: 600, queries: 3),
        Shape(heads: 16, kvHeads: 1, dk: 96, dv: 64, context: 520, queries: 5),
        Shape(heads: 20, kvHeads: 1, dk: 64, dv: 32, context: 90, queries: 9),
        Shape(heads: 4, kvHeads: 4, dk: 32, dv: 32, context: 333, queries: 33, window: 60),
        Shape(heads: 3, kvHeads: 1, dk: 32, dv: 96, context: 40, queries: 2),
    ]

    /// Queries, and rows of keys and values; those of the cache in both types.
    struct Data {
        let q, k, v: [Float]
        let shape: Shape

        /// - Parameter replacing: what is stored instead of the random rows.
        init(_ shape: Shape, replacing: ([Float]) throws -> [Float] = { $0 }) rethrows {
            var numbers = SplitMix(seed: 95)
            self.shape = shape
            q = numbers.floats(shape.queries * shape.heads * shape.dk)
            k = try replacing(numbers.floats(shape.context * shape.kvHeads * shape.dk))
            v = shape.sharesValues ? [] : try replacing(numbers.floats(shape.context * shape.kvHeads * shape.dv))
        }
    }

    /// Rows as `kvWrite` stores them, row i at slot order[i]; all ones where nothing was stored.
    private func stored(
        _ kernels: KernelSet, _ rows: [Float], width: Int, dtype: DType, order: [Int32], slots: Int
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: slots * (try #require(dtype.rowBytes(width))))
        bytes.withUnsafeMutableBytes { cache in
            forEachShare(of: 1) { share in
                kernels.kvWrite(
                    KVWriteArguments(
                        rows: rows, slots: order, cache: cache.baseAddress!, dtype: dtype, rowCount: order.count,
                        columns: width), share: share)
            }
        }
        return bytes
    }

    private func dequantized(_ rows: [Float]) throws -> [Float] {
        let blocks = try stored(
            kernels(.reference), rows, width: rows.count, dtype: .q8_0, order: [0], slots: 1)
        var out = rows
        #expect(RowConversion.dequantize(.q8_0, from: blocks, to: &out, count: rows.count))
        return out
    }

    /// How a call is made; none of it may change a bit.
    struct Form {
        var decoded = false
        var part: Range<Int>?
        var blockSize = 16
        var workers = 1
        var sharedItems = 0
    }

    private func run(_ kernels: KernelSet, _ data: Data, dtype: DType, _ form: Form) throws -> [Float] {
        let shape = data.shape
        let part = form.part ?? 0..<shape.queries
        var numbers = SplitMix(seed: 71)
        let size = form.blockSize
        let table = Array(0..<(shape.context + size - 1) / size + 2).shuffled(using: &numbers).map { Int32($0) }
        let order = (0..<shape.context).map { table[$0 / size] * Int32(size) + Int32($0 % size) }
        let (keyWidth, valueWidth) = (shape.kvHeads * shape.dk, shape.kvHeads * shape.dv)
        let slots = table.count * size
        let keys = try stored(kernels, data.k, width: keyWidth, dtype: dtype, order: order, slots: slots)
        let values =
            shape.sharesValues
            ? [] : try stored(kernels, data.v, width: valueWidth, dtype: dtype, order: order, slots: slots)
        var out = [Float](repeating: .nan, count: part.count * shape.heads * shape.dv)
        var partials = [Float](
            repeating: .nan, count: AttentionWorkspace.floatCount(items: form.sharedItems, valueDimension: shape.dv))
        var arrivals = [Int32](repeating: 0, count: form.sharedItems)
        table.withUnsafeBufferPointer { blocks in
            let sequence = AttentionSequence(
                queryStart: 0, queryCount: part.count, contextLength: shape.context - shape.queries + part.upperBound,
                blocks: blocks.baseAddress)
            data.q.withUnsafeBufferPointer { q in
                keys.withUnsafeBytes { keys in
                    values.withUnsafeBytes { values in
                        withUnsafePointer(to: sequence) { sequences in
                            out.withUnsafeMutableBufferPointer { out in
                                partials.withUnsafeMutableBufferPointer { partials in
                                    arrivals.withUnsafeMutableBufferPointer { arrivals in
                                        let workspace =
                                            form.sharedItems == 0
                                            ? nil
                                            : AttentionWorkspace(
                                                itemCount: form.sharedItems, partials: partials.baseAddress!,
                                                arrivals: arrivals.baseAddress!)
                                        let arguments = AttentionArguments(
                                            queries: q.baseAddress! + part.lowerBound * shape.heads * shape.dk,
                                            keys: keys.baseAddress!,
                                            values: shape.sharesValues ? keys.baseAddress! : values.baseAddress!,
                                            valueRowBytes: dtype.rowBytes(shape.sharesValues ? keyWidth : valueWidth),
                                            cacheType: dtype, out: out.baseAddress!, sequences: sequences,
                                            sequenceCount: 1, headCount: shape.heads, kvHeadCount: shape.kvHeads,
                                            keyDimension: shape.dk, valueDimension: shape.dv, blockSize: size,
                                            scale: 0.3, window: shape.window, decodedFrom: form.decoded ? 0 : nil,
                                            workspace: workspace)
                                        forEachShare(of: form.workers) { kernels.attention(arguments, share: $0) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        #expect(arrivals.allSatisfy { $0 == 0 })
        return out
    }

    /// An element is off by at most half a step, greatest/127/2, and by what the scale's rounding to half precision adds.
    @Test(arguments: tiers) func storedRowsAreAsNearAsTheFormatSays(tier: KernelTier) throws {
        var numbers = SplitMix(seed: 96)
        for scale: Float in [1e-3, 1, 300] {
            let rows = numbers.floats(32 * 40, scale: scale)
            let count = rows.count
            let blocks = try stored(kernels(tier), rows, width: count, dtype: .q8_0, order: [0], slots: 1)
            let defined = try stored(kernels(.reference), rows, width: count, dtype: .q8_0, order: [0], slots: 1)
            #expect(blocks == defined)
            let found = try dequantized(rows)
            for start in stride(from: 0, to: rows.count, by: 32) {
                let greatest = rows[start..<start + 32].map(abs).max() ?? 0
                let bound = Self.elementError(greatest: greatest)
                for index in start..<start + 32 { #expect(abs(found[index] - rows[index]) <= bound, "\(index)") }
            }
        }
    }

    private static func elementError(greatest: Float) -> Float {
        let step = greatest / 127
        // Half precision rounds by 2^-11 of a number, by 2^-25 below 2^-14.
        return step / 2 + 127 * max(step / 2048, 0x1p-25) + greatest * 0x1p-20
    }

    @Test func aNaNSpoilsItsBlock() throws {
        var rows = [Float](repeating: 0.5, count: 64)
        rows[40] = .nan
        let found = try dequantized(rows)
        #expect(found[..<32].allSatisfy { abs($0 - 0.5) < 1e-3 } && found[32...].allSatisfy(\.isNaN))
    }

    @Test(arguments: tiers, shapes)
    func equalsACacheOfTheSameFloats(tier: KernelTier, shape: Shape) throws {
        let (kernels, data) = try (kernels(tier), Data(shape))
        let floats = try Data(shape, replacing: dequantized)
        let reference = try #require(KernelSet.forTier(.reference))
        for decoded in [false, true] {
            let form = Form(decoded: decoded, workers: 2)
            let expected = try run(kernels, floats, dtype: .f32, form)
            #expect(try run(kernels, data, dtype: .q8_0, form) == expected, "decoded \(decoded)")
            let defined = try run(reference, floats, dtype: .f32, form)
            #expect(relativeError(expected, defined) < 3e-6)
        }
    }

    /// Scores move by at most δ = scale · Σ|q| · (error of a key's element), weights by e^(2δ) and the result by
    /// (e^(2δ) - 1) · greatest + (error of a value's element).
    @Test(arguments: tiers, shapes)
    func isAsNearToTheFloatsAsTheFormatSays(tier: KernelTier, shape: Shape) throws {
        let (kernels, data) = try (kernels(tier), Data(shape))
        let sums = stride(from: 0, to: data.q.count, by: shape.dk).map { start in
            data.q[start..<start + shape.dk].reduce(Float(0)) { $0 + abs($1) }
        }
        let shift = 0.3 * (sums.max() ?? 0) * Self.elementError(greatest: 1)
        let bound = Float(exponential(Double(2 * shift)) - 1) + Self.elementError(greatest: 1)
        for decoded in [false, true] {
            let form = Form(decoded: decoded)
            let expected = try run(kernels, data, dtype: .f32, form)
            let found = try run(kernels, data, dtype: .q8_0, form)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= bound })
            #expect(relativeError(found, expected) < 2e-2)  // what is found, far below the bound
        }
    }

    @Test(arguments: tiers, shapes)
    func pagingChunksAndWorkersDoNotChangeABit(tier: KernelTier, shape: Shape) throws {
        let (kernels, data) = try (kernels(tier), Data(shape))
        let row = shape.heads * shape.dv
        for decoded in [false, true] {
            let whole = try run(kernels, data, dtype: .q8_0, Form(decoded: decoded))
            #expect(try run(kernels, data, dtype: .q8_0, Form(decoded: decoded, blockSize: 7, workers: 5)) == whole)
            for cut in Set([1, shape.queries / 2]) {
                let parts =
                    try run(kernels, data, dtype: .q8_0, Form(decoded: decoded, part: 0..<cut))
                    + run(kernels, data, dtype: .q8_0, Form(decoded: decoded, part: cut..<shape.queries, workers: 2))
                #expect(parts == whole, "cut after \(cut)")
            }
            guard decoded else { continue }
            for workers in [1, 3] {
                let form = Form(decoded: true, workers: workers, sharedItems: 200)
                #expect(try run(kernels, data, dtype: .q8_0, form) == whole)
            }
            let last = shape.queries - 1..<shape.queries
            let alone = Form(decoded: true, part: last, workers: 4, sharedItems: 4)
            #expect(try run(kernels, data, dtype: .q8_0, alone) == Array(whole.suffix(row)))
        }
    }
}
