import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Attention against PyTorch in double precision, and bit-exact invariance to paging, prompt chunks and workers.
@Suite struct AttentionTests {
    struct Case {
        let heads, kvHeads, dk, dv, context, queries: Int
        let window: Int?
        let q, k, v, expected: [Float]
        let sharesValues: Bool

        init(_ name: String) throws {
            let goldens = try Goldens()
            let shape = try goldens.integers("attention.\(name).shape").map { Int($0) }
            (heads, kvHeads, dk, dv) = (shape[0], shape[1], shape[2], shape[3])
            (context, queries) = (shape[4], shape[5])
            window = shape[6] == 0 ? nil : shape[6]
            q = try goldens.floats("attention.\(name).q")
            k = try goldens.floats("attention.\(name).k")
            v = try goldens.floats("attention.\(name).v")
            expected = try goldens.floats("attention.\(name).out")
            sharesValues = name == "mla"
        }
    }

    static let names = ["gqa", "mha", "mla", "window", "decode"]

    /// Rows of a cache in `dtype`, row i at slot order[i].
    private func cache(_ values: [Float], width: Int, dtype: DType, order: [Int], slots: Int) -> [UInt8] {
        let size = width * dtype.blockBytes
        var bytes = [UInt8](repeating: 0xFF, count: slots * size)  // NaN where nothing was stored
        bytes.withUnsafeMutableBytes { out in
            values.withUnsafeBufferPointer { input in
                for (row, slot) in order.enumerated() {
                    _ = RowConversion.quantize(
                        dtype, from: input.baseAddress! + row * width, to: out.baseAddress! + slot * size, count: width)
                }
            }
        }
        return bytes
    }

    /// Runs the queries `part` of a case (their keys end with the last of them).
    private func run(
        _ kernels: KernelSet, _ item: Case, dtype: DType = .f32, blockSize: Int? = nil, part: Range<Int>? = nil,
        workers: Int = 1, decoded: Bool = false
    ) -> [Float] {
        let part = part ?? 0..<item.queries
        let context = item.context - item.queries + part.upperBound
        var numbers = SplitMix(seed: 70)
        let size = blockSize ?? item.context
        let table = Array(0..<(item.context + size - 1) / size + 2).shuffled(using: &numbers).map { Int32($0) }
        let order = (0..<item.context).map { blockSize == nil ? $0 : Int(table[$0 / size]) * size + $0 % size }
        let slots = table.count * size
        let keys = cache(item.k, width: item.kvHeads * item.dk, dtype: dtype, order: order, slots: slots)
        let values = cache(item.v, width: item.kvHeads * item.dv, dtype: dtype, order: order, slots: slots)
        var out = [Float](repeating: .nan, count: part.count * item.heads * item.dv)
        table.withUnsafeBufferPointer { blocks in
            let sequence = AttentionSequence(
                queryStart: 0, queryCount: part.count, contextLength: context,
                blocks: blockSize == nil ? nil : blocks.baseAddress)
            item.q.withUnsafeBufferPointer { q in
                keys.withUnsafeBytes { keyBytes in
                    values.withUnsafeBytes { valueBytes in
                        let view = item.sharesValues ? keyBytes : valueBytes
                        let rowBytes = (item.sharesValues ? item.dk : item.dv) * item.kvHeads * dtype.blockBytes
                        withUnsafePointer(to: sequence) { sequences in
                            out.withUnsafeMutableBufferPointer { buffer in
                                let arguments = AttentionArguments(
                                    queries: q.baseAddress! + part.lowerBound * item.heads * item.dk,
                                    keys: keyBytes.baseAddress!, values: view.baseAddress!, valueRowBytes: rowBytes,
                                    cacheType: dtype, out: buffer.baseAddress!, sequences: sequences, sequenceCount: 1,
                                    headCount: item.heads, kvHeadCount: item.kvHeads, keyDimension: item.dk,
                                    valueDimension: item.dv, blockSize: size, scale: 0.3, window: item.window,
                                    decodedFrom: decoded ? 0 : nil)
                                forEachShare(of: workers) { kernels.attention(arguments, share: $0) }
                            }
                        }
                    }
                }
            }
        }
        return out
    }

    @Test(arguments: tiers, names)
    func matchesTheDefinition(tier: KernelTier, name: String) throws {
        let (kernels, item) = (try kernels(tier), try Case(name))
        #expect(relativeError(run(kernels, item), item.expected) < 2e-6)
        #expect(relativeError(run(kernels, item, dtype: .f16, blockSize: 16), item.expected) < 2e-3)
        #expect(relativeError(run(kernels, item, dtype: .bf16, blockSize: 16), item.expected) < 2e-2)
    }

    /// The same rows in decode form: several rows of a sequence (computed again after a preemption), types, paging.
    @Test(arguments: tiers, names)
    func decodedRowsMatchTheDefinition(tier: KernelTier, name: String) throws {
        let (kernels, item) = (try kernels(tier), try Case(name))
        let whole = run(kernels, item, decoded: true)
        #expect(relativeError(whole, item.expected) < 2e-6)
        #expect(run(kernels, item, blockSize: 7, workers: 3, decoded: true) == whole)
        let half = run(kernels, item, dtype: .f16, blockSize: 16, decoded: true)
        #expect(relativeError(half, item.expected) < 2e-3)
        let brain = run(kernels, item, dtype: .bf16, blockSize: 16, decoded: true)
        #expect(relativeError(brain, item.expected) < 2e-2)
        let row = item.heads * item.dv
        let last = run(kernels, item, part: item.queries - 1..<item.queries, workers: 2, decoded: true)
        #expect(last == Array(whole.suffix(row)))
    }

    @Test(arguments: tiers, names)
    func pagingChunksAndWorkersDoNotChangeABit(tier: KernelTier, name: String) throws {
        let (kernels, item) = (try kernels(tier), try Case(name))
        let whole = run(kernels, item)
        #expect(run(kernels, item, blockSize: 16) == whole)
        #expect(run(kernels, item, blockSize: 7, workers: 5) == whole)
        let row = item.heads * item.dv
        for cut in Set([1, item.queries / 3, item.queries - 1]) where cut > 0 && cut < item.queries {
            let parts = run(kernels, item, part: 0..<cut) + run(kernels, item, part: cut..<item.queries)
            #expect(parts == whole, "cut after \(cut)")
        }
        let last = run(kernels, item, blockSize: 16, part: item.queries - 1..<item.queries, workers: 2)
        #expect(last == Array(whole.suffix(row)))
    }
}
