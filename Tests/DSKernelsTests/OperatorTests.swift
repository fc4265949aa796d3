import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Row operators of every tier against PyTorch in double precision.
@Suite struct OperatorTests {
    static let rows = 5
    static let columns = 83  // no multiple of any vector

    static let unaries: [(UnaryOperation, String)] = [
        (.silu, "silu"), (.gelu, "gelu"), (.geluTanh, "geluTanh"), (.sigmoid, "sigmoid"), (.exp, "exp"),
        (.tanh, "tanh"), (.relu, "relu"), (.softplus, "softplus"), (.square, "square"), (.absolute, "absolute"),
        (.negate, "negate"), (.copy, "x"),
    ]

    /// The greatest error relative to each value itself; values below `floor` count as `floor`.
    private func elementError(_ found: [Float], _ expected: [Float], floor: Float = 1e-30) -> Float {
        guard found.count == expected.count else { return .infinity }
        return zip(found, expected).map { $0 == $1 ? 0 : abs($0 - $1) / max(abs($1), floor) }.max() ?? 0
    }

    private func output(_ count: Int, workers: Int = 3, _ body: (UnsafeMutablePointer<Float>, WorkShare) -> Void)
        -> [Float]
    {
        var out = [Float](repeating: .nan, count: count)
        out.withUnsafeMutableBufferPointer { buffer in
            forEachShare(of: workers) { body(buffer.baseAddress!, $0) }
        }
        return out
    }

    @Test(arguments: tiers, unaries)
    func unaryFunctions(tier: KernelTier, operation: (UnaryOperation, String)) throws {
        let (kernels, goldens) = (try kernels(tier), try Goldens())
        let x = try goldens.floats("operator.x")
        let found = output(x.count) {
            kernels.unary(
                UnaryArguments(
                    operation: operation.0, input: x, out: $0, rowCount: OperatorTests.rows,
                    columns: OperatorTests.columns),
                share: $1)
        }
        let expected = try goldens.floats("operator.\(operation.1)")
        // Gelu's tail cancels; PyTorch's own float result has the same absolute error there.
        let floor: Float = operation.0 == .gelu || operation.0 == .geluTanh ? 1 : 1e-30
        #expect(elementError(found, expected, floor: floor) < 1e-6)
    }

    @Test(arguments: tiers)
    func exponentialIsAccurateEverywhere(tier: KernelTier) throws {
        let kernels = try kernels(tier)
        let x = stride(from: Float(-87), to: 88.7, by: 0.0037).map { $0 } + [0, 1e-20, -1e-20]
        let found = output(x.count) {
            kernels.unary(UnaryArguments(operation: .exp, input: x, out: $0, rowCount: 1, columns: x.count), share: $1)
        }
        #expect(elementError(found, x.map { Float(exponential(Double($0))) }) < 3e-7)
        let special: [Float] = [-.infinity, .infinity, -1000, 89, .nan]
        let ends = output(special.count, workers: 1) {
            kernels.unary(UnaryArguments(operation: .exp, input: special, out: $0, rowCount: 1, columns: 5), share: $1)
        }
        #expect(ends[0] == 0 && ends[1] == .infinity && ends[2] == 0 && ends[3] == .infinity && ends[4].isNaN)
    }

    @Test(arguments: tiers, ["rmsNorm", "rmsNormAdd", "layerNorm"])
    func norms(tier: KernelTier, name: String) throws {
        let (kernels, goldens) = (try kernels(tier), try Goldens())
        let x = try goldens.floats("operator.x")
        let residual = try goldens.floats("operator.residual")
        let weight = try goldens.floats("operator.weight")
        let bias = try goldens.floats("operator.bias")
        var sum = [Float](repeating: 0, count: x.count)
        let found = sum.withUnsafeMutableBufferPointer { sum in
            output(x.count) { out, share in
                var arguments = NormArguments(
                    input: x, out: out, weight: weight, rowCount: OperatorTests.rows, columns: OperatorTests.columns,
                    epsilon: 1e-5)
                if name == "rmsNormAdd" {
                    residual.withUnsafeBufferPointer { arguments.residual = $0.baseAddress }
                    arguments.sum = sum.baseAddress
                }
                guard name == "layerNorm" else { return kernels.rmsNorm(arguments, share: share) }
                bias.withUnsafeBufferPointer { arguments.bias = $0.baseAddress }
                kernels.layerNorm(arguments, share: share)
            }
        }
        let foundExpected = try goldens.floats("operator.\(name)")
        #expect(relativeError(found, foundExpected) < 1e-6)
        if name == "rmsNormAdd" { #expect(sum == zip(x, residual).map { $0 + $1 }) }
    }

    @Test(arguments: tiers)
    func softmaxGatedAndLogSumExp(tier: KernelTier) throws {
        let (kernels, goldens) = (try kernels(tier), try Goldens())
        let x = try goldens.floats("operator.x")
        let residual = try goldens.floats("operator.residual")
        let (rows, columns) = (OperatorTests.rows, OperatorTests.columns)
        let probabilities = output(x.count) {
            kernels.softmaxRows(
                SoftmaxArguments(input: x, out: $0, rowCount: rows, columns: columns, scale: 0.7), share: $1)
        }
        let probabilitiesExpected = try goldens.floats("operator.softmax")
        #expect(elementError(probabilities, probabilitiesExpected, floor: 1e-12) < 2e-6)
        let gated = output(x.count) {
            kernels.gated(GatedArguments(gate: x, up: residual, out: $0, rowCount: rows, columns: columns), share: $1)
        }
        let gatedExpected = try goldens.floats("operator.gated")
        #expect(elementError(gated, gatedExpected) < 1e-6)
        let sums = (0..<rows).map { row in
            x[row * columns..<(row + 1) * columns].withUnsafeBufferPointer { kernels.logSumExp($0) }
        }
        let sumsExpected = try goldens.floats("operator.logSumExp")
        #expect(elementError(sums, sumsExpected) < 1e-6)
    }

    @Test(arguments: tiers, BinaryOperation.allCases)
    func binaryFunctionsAndBroadcasts(tier: KernelTier, operation: BinaryOperation) throws {
        let kernels = try kernels(tier)
        var numbers = SplitMix(seed: 60)
        let (rows, columns) = (4, 37)
        let (a, b) = (numbers.floats(rows * columns), numbers.floats(rows * columns))
        func value(_ x: Float, _ y: Float) -> Float {
            switch operation {
            case .add: x + y
            case .subtract: x - y
            case .multiply: x * y
            case .divide: x / y
            case .maximum: Swift.max(x, y)
            case .minimum: Swift.min(x, y)
            }
        }
        for (rowStride, repeats) in [(columns, false), (0, false), (columns, true), (0, true)] {
            let found = output(a.count) {
                kernels.binary(
                    BinaryArguments(
                        operation: operation, left: BinaryOperand(a, stride: columns),
                        right: BinaryOperand(b, stride: rowStride, repeatsAlongRow: repeats), out: $0, rowCount: rows,
                        columns: columns),
                    share: $1)
            }
            let expected = a.indices.map { index in
                value(a[index], b[index / columns * rowStride + (repeats ? 0 : index % columns)])
            }
            #expect(found == expected, "row stride \(rowStride), repeats \(repeats)")
        }
    }

    @Test(arguments: tiers, [RopeStyle.interleaved, .halfSplit])
    func rope(tier: KernelTier, style: RopeStyle) throws {
        let (kernels, goldens) = (try kernels(tier), try Goldens())
        let x = try goldens.floats("rope.x")
        let positions = try goldens.integers("rope.positions")
        let frequencies = try goldens.floats("rope.frequencies")
        let expected = try goldens.floats(style == .interleaved ? "rope.interleaved" : "rope.halfSplit")
        let found = output(x.count) {
            kernels.rope(
                RopeArguments(
                    input: x, out: $0, positions: positions, frequencies: frequencies, rowCount: 4, headCount: 3,
                    headDimension: 24, rotaryOffset: 4, rotaryCount: 20, style: style, attentionFactor: 1.25),
                share: $1)
        }
        #expect(relativeError(found, expected) < 1e-6)
        var inPlace = x
        inPlace.withUnsafeMutableBufferPointer { buffer in
            forEachShare(of: 2) { share in
                kernels.rope(
                    RopeArguments(
                        input: UnsafePointer(buffer.baseAddress!), out: buffer.baseAddress!, positions: positions,
                        frequencies: frequencies, rowCount: 4, headCount: 3, headDimension: 24, rotaryOffset: 4,
                        rotaryCount: 20, style: style, attentionFactor: 1.25),
                    share: share)
            }
        }
        #expect(inPlace == found)
    }

    @Test(arguments: tiers)
    func weightedSumOfExperts(tier: KernelTier) throws {
        let kernels = try kernels(tier)
        var numbers = SplitMix(seed: 61)
        let (rows, topK, columns) = (3, 4, 21)
        let (y, weights) = (numbers.floats(rows * topK * columns), numbers.floats(rows * topK))
        let base = numbers.floats(rows * columns)
        let found = output(base.count) {
            kernels.combine(
                CombineArguments(
                    input: y, weights: weights, base: base, out: $0, rowCount: rows, topK: topK, columns: columns),
                share: $1)
        }
        let expected = base.indices.map { index in
            let row = index / columns
            return (0..<topK).reduce(base[index]) { sum, j in
                sum + weights[row * topK + j] * y[(row * topK + j) * columns + index % columns]
            }
        }
        #expect(relativeError(found, expected) < 1e-6)
    }

    @Test(arguments: tiers, [DType.f32, .f16, .bf16, .q8_0])
    func cacheRowsAreStoredInTheirSlots(tier: KernelTier, dtype: DType) throws {
        let kernels = try kernels(tier)
        var numbers = SplitMix(seed: 62)
        let (columns, slots) = (dtype.isBlockQuantized ? 96 : 27, [Int32(5), 0, -1, 3])
        let x = numbers.floats(slots.count * columns)
        let size = try #require(dtype.rowBytes(columns))
        var cache = [UInt8](repeating: 0xEE, count: 6 * size)
        cache.withUnsafeMutableBytes { bytes in
            forEachShare(of: 2) { share in
                kernels.kvWrite(
                    KVWriteArguments(
                        rows: x, slots: slots, cache: bytes.baseAddress!, dtype: dtype, rowCount: slots.count,
                        columns: columns),
                    share: share)
            }
        }
        for slot in 0..<6 {
            var expected = [UInt8](repeating: 0xEE, count: size)
            if let row = slots.firstIndex(of: Int32(slot)) {
                let values = Array(x[row * columns..<(row + 1) * columns])
                expected.withUnsafeMutableBytes {
                    _ = RowConversion.quantize(dtype, from: values, to: $0.baseAddress!, count: columns)
                }
            }
            #expect(Array(cache[slot * size..<(slot + 1) * size]) == expected, "slot \(slot)")
        }
    }

    @Test(arguments: [DType.f32, .bf16, .q4K, .q8_0])
    func embeddingRows(dtype: DType) throws {
        let table = RandomWeight(dtype, rows: 7, columns: 256, seed: 63)
        var values = [Float](repeating: 0, count: 7 * 256)
        table.bytes.withUnsafeBytes {
            _ = RowConversion.dequantize(dtype, from: $0.baseAddress!, to: &values, count: values.count)
        }
        let ids: [Int32] = [6, 0, 3, 3, 7, -1]
        let kernels = KernelSet.best()
        let found = output(ids.count * 256) { out, share in
            table.withMatrix {
                kernels.embeddingRows(
                    EmbeddingArguments(table: $0, ids: ids, out: out, rowCount: ids.count), share: share)
            }
        }
        for (row, id) in ids.enumerated() {
            let part = found[row * 256..<(row + 1) * 256]
            if (0..<7).contains(id) {
                #expect(Array(part) == Array(values[Int(id) * 256..<Int(id + 1) * 256]))
            } else {
                let allNaN = part.allSatisfy(\.isNaN)
                #expect(allNaN, "id \(id) is not in the table")
            }
        }
    }

    @Test func rowsAreGatheredAndScattered() {
        let x = (0..<12).map { Float($0) }
        let (from, to): ([Int32], [Int32]) = ([3, 0], [1, 2])
        var out = [Float](repeating: -1, count: 12)
        out.withUnsafeMutableBufferPointer { buffer in
            forEachShare(of: 3) { share in
                KernelSet.best().copyRows(
                    CopyRowsArguments(
                        input: x, inputStride: 3, inputRows: from, out: buffer.baseAddress!, outStride: 4, outRows: to,
                        rowCount: 2, columns: 3),
                    share: share)
            }
        }
        #expect(out == [-1, -1, -1, -1, 9, 10, 11, -1, 0, 1, 2, -1])
    }
}
