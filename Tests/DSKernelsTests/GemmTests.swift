import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// A tier and a weight format.
struct GemmCase: CustomStringConvertible, Sendable {
    let tier: KernelTier
    let dtype: DType
    var description: String { "\(tier.rawValue) \(dtype)" }

    static let weightFormats: [DType] = [
        .f32, .f16, .bf16, .f8e4m3, .f8e5m2, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q2K, .q3K, .q4K, .q5K, .q6K, .iq4NL,
        .iq4XS, .mxfp4,
    ]

    static let all = tiers.flatMap { tier in weightFormats.map { GemmCase(tier: tier, dtype: $0) } }
    static let fast = all.filter { $0.tier != .reference }

    /// A number of columns that is no multiple of any tile.
    var columns: Int { dtype.blockElements == 256 ? 768 : dtype.blockElements == 32 ? 352 : 333 }

    /// The error of the product relative to the greatest output, for activations in -1...1: float formats accumulate in
    /// another order; int8 activations carry 7 bits per block of 32, or of 256.
    var budget: Float {
        switch (tier, dtype.blockElements) {
        case (.reference, _), (_, 1): 2e-6
        case (_, 32): 8e-3
        default: 1e-2
        }
    }
}

@Suite struct GemmTests {
    static let rows = 37

    private func product(
        _ kernels: KernelSet, _ weight: RandomWeight, _ activations: Activations, tokens: Range<Int>, workers: Int = 1,
        up: RandomWeight? = nil, bias: [Float]? = nil, epilogue: Epilogue = .store, into start: [Float]? = nil
    ) -> [Float] {
        var out = start ?? [Float](repeating: .nan, count: tokens.count * weight.rows)
        out.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            weight.withMatrix { matrix in
                activations.bytes.withUnsafeBytes { bytes in
                    let input = bytes.baseAddress! + tokens.lowerBound * activations.stride
                    var arguments = GemmArguments(
                        weight: matrix, activations: input, activationStride: activations.stride, out: base,
                        rowCount: tokens.count, epilogue: epilogue)
                    (bias ?? []).withUnsafeBufferPointer { biasBuffer in
                        if bias != nil { arguments.bias = biasBuffer.baseAddress }
                        forEachShare(of: workers) { share in
                            guard let up else { return kernels.gemm(arguments, share: share) }
                            up.withMatrix {
                                arguments.up = $0
                                kernels.gemm(arguments, share: share)
                            }
                        }
                    }
                }
            }
        }
        return out
    }

    /// The same product in double precision from dequantised weights.
    private func exact(_ weight: RandomWeight, _ x: [Float], tokens: Int) -> [Float] {
        var values = [Float](repeating: 0, count: weight.rows * weight.columns)
        weight.bytes.withUnsafeBytes {
            _ = RowConversion.dequantize(weight.dtype, from: $0.baseAddress!, to: &values, count: values.count)
        }
        let k = weight.columns
        return (0..<tokens * weight.rows).map { index in
            let (t, n) = (index / weight.rows, index % weight.rows)
            var sum = 0.0
            for i in 0..<k { sum += Double(x[t * k + i]) * Double(values[n * k + i]) }
            return Float(sum)
        }
    }

    @Test(arguments: GemmCase.all)
    func productIsWithinTheFormatsBudget(item: GemmCase) throws {
        let kernels = try kernels(item.tier)
        let weight = RandomWeight(item.dtype, rows: GemmTests.rows, columns: item.columns, seed: 1)
        var numbers = SplitMix(seed: 2)
        let x = numbers.floats(7 * item.columns)
        let activations = Activations(kernels, x, rows: 7, columns: item.columns, for: item.dtype)
        let error = relativeError(product(kernels, weight, activations, tokens: 0..<7), exact(weight, x, tokens: 7))
        #expect(error < item.budget)
    }

    @Test(arguments: GemmCase.fast)
    func resultsDoNotDependOnTheBatch(item: GemmCase) throws {
        let kernels = try kernels(item.tier)
        let weight = RandomWeight(item.dtype, rows: GemmTests.rows, columns: item.columns, seed: 3)
        var numbers = SplitMix(seed: 4)
        let x = numbers.floats(33 * item.columns)
        let activations = Activations(kernels, x, rows: 33, columns: item.columns, for: item.dtype)
        let whole = product(kernels, weight, activations, tokens: 0..<33)
        for count in 1...32 {
            let first = (count * 7) % (33 - count + 1)
            let part = product(kernels, weight, activations, tokens: first..<first + count)
            #expect(part == Array(whole[first * weight.rows..<(first + count) * weight.rows]), "batch of \(count)")
        }
    }

    @Test(arguments: GemmCase.all)
    func resultsDoNotDependOnTheWorkers(item: GemmCase) throws {
        let kernels = try kernels(item.tier)
        let weight = RandomWeight(item.dtype, rows: GemmTests.rows, columns: item.columns, seed: 5)
        var numbers = SplitMix(seed: 6)
        let x = numbers.floats(5 * item.columns)
        let activations = Activations(kernels, x, rows: 5, columns: item.columns, for: item.dtype)
        let one = product(kernels, weight, activations, tokens: 0..<5)
        for workers in [2, 3, 7, 64] {
            #expect(product(kernels, weight, activations, tokens: 0..<5, workers: workers) == one, "\(workers) workers")
        }
    }

    @Test(arguments: tiers, [DType.f32, .q8_0, .q4K])
    func largeBatchesAgreeWithSingleRows(tier: KernelTier, dtype: DType) throws {
        let kernels = try kernels(tier)
        let weight = RandomWeight(dtype, rows: 20, columns: 512, seed: 7)
        var numbers = SplitMix(seed: 8)
        let x = numbers.floats(600 * 512)
        let activations = Activations(kernels, x, rows: 600, columns: 512, for: dtype)
        let whole = product(kernels, weight, activations, tokens: 0..<600)
        for token in [0, 191, 192, 511, 512, 599] {
            let one = product(kernels, weight, activations, tokens: token..<token + 1)
            #expect(one == Array(whole[token * 20..<(token + 1) * 20]), "token \(token)")
        }
    }

    @Test(arguments: tiers, [DType.bf16, .q8_0, .q6K])
    func biasEpiloguesAndGateUp(tier: KernelTier, dtype: DType) throws {
        let kernels = try kernels(tier)
        let weight = RandomWeight(dtype, rows: 19, columns: 256, seed: 9)
        let up = RandomWeight(dtype, rows: 19, columns: 256, seed: 10)
        var numbers = SplitMix(seed: 11)
        let x = numbers.floats(3 * 256)
        let activations = Activations(kernels, x, rows: 3, columns: 256, for: dtype)
        let bias = numbers.floats(19)
        let start = numbers.floats(3 * 19)
        let plain = product(kernels, weight, activations, tokens: 0..<3)
        let upper = product(kernels, up, activations, tokens: 0..<3)
        func silu(_ value: Float) -> Float { value * Float(1 / (1 + exponential(-Double(value)))) }

        let biased = product(kernels, weight, activations, tokens: 0..<3, bias: bias)
        #expect(biased == plain.indices.map { plain[$0] + bias[$0 % 19] })
        let added = product(kernels, weight, activations, tokens: 0..<3, epilogue: .add, into: start)
        #expect(added == plain.indices.map { start[$0] + plain[$0] })
        let activated = product(kernels, weight, activations, tokens: 0..<3, epilogue: .silu)
        #expect(relativeError(activated, plain.map(silu)) < 1e-6)
        let gated = product(kernels, weight, activations, tokens: 0..<3, up: up)
        #expect(relativeError(gated, zip(plain, upper).map { silu($0) * $1 }) < 1e-6)
    }

    @Test(arguments: tiers)
    func noRowsIsNoWork(tier: KernelTier) throws {
        let kernels = try kernels(tier)
        let weight = RandomWeight(.q4K, rows: 3, columns: 256, seed: 12)
        let activations = Activations(kernels, [0], rows: 0, columns: 256, for: .q4K)
        var untouched: Float = 5
        weight.withMatrix { matrix in
            activations.bytes.withUnsafeBytes { _ in
                WorkShare.withSerial { share in
                    withUnsafePointer(to: 0) { nothing in
                        kernels.gemm(
                            GemmArguments(
                                weight: matrix, activations: UnsafeRawPointer(nothing),
                                activationStride: activations.stride, out: &untouched, rowCount: 0),
                            share: share)
                    }
                }
            }
        }
        #expect(untouched == 5)
    }

    @Test(arguments: tiers, [(128, 128), (64, 48), (7, 5)])
    func blockScalesMultiplyTheirBlocks(tier: KernelTier, block: (Int, Int)) throws {
        let kernels = try kernels(tier)
        let (n, k) = (130, 200)
        let weight = RandomWeight(.f8e4m3, rows: n, columns: k, seed: 13)
        let across = (k + block.1 - 1) / block.1
        var numbers = SplitMix(seed: 14)
        let scales = numbers.floats((n + block.0 - 1) / block.0 * across)
        var values = [Float](repeating: 0, count: n * k)
        weight.bytes.withUnsafeBytes {
            _ = RowConversion.dequantize(.f8e4m3, from: $0.baseAddress!, to: &values, count: n * k)
        }
        for index in values.indices { values[index] *= scales[index / k / block.0 * across + index % k / block.1] }
        var scaled = RandomWeight(.f32, rows: n, columns: k, seed: 0)
        scaled.bytes = values.withUnsafeBytes { Array($0) }
        for tokens in [1, 4, 20] {
            let x = numbers.floats(tokens * k)
            var out = [Float](repeating: 0, count: tokens * n)
            weight.bytes.withUnsafeBytes { bytes in
                WorkShare.withSerial { share in
                    let matrix = MatrixWeight(
                        base: bytes.baseAddress!, dtype: .f8e4m3, rows: n, columns: k,
                        blockScales: BlockScales(values: scales, blockRows: block.0, blockColumns: block.1))
                    kernels.gemm(
                        GemmArguments(
                            weight: matrix, activations: x, activationStride: k * 4, out: &out, rowCount: tokens),
                        share: share)
                }
            }
            #expect(relativeError(out, exact(scaled, x, tokens: tokens)) < 2e-6)
        }
    }
}
