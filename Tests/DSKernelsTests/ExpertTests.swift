import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Grouped products of experts and products per head, against dense products of the same matrices.
@Suite struct ExpertTests {
    @Test(arguments: tiers, [DType.f32, .q8_0, .q4K])
    func groupedProductsEqualDenseOnes(tier: KernelTier, dtype: DType) throws {
        let kernels = try kernels(tier)
        let (experts, topK, tokens, n, k) = (5, 2, 23, 21, 256)
        var numbers = SplitMix(seed: 21)
        let gates = (0..<experts).map { RandomWeight(dtype, rows: n, columns: k, seed: UInt64(30 + $0)) }
        let ups = (0..<experts).map { RandomWeight(dtype, rows: n, columns: k, seed: UInt64(40 + $0)) }
        let x = numbers.floats(tokens * k)
        let activations = Activations(kernels, x, rows: tokens, columns: k, for: dtype)
        var ids: [Int32] = (0..<tokens * topK).map { _ in Int32.random(in: 0..<4, using: &numbers) }  // expert 4 idle
        ids[0] = 3
        var offsets = [Int32](repeating: -1, count: experts + 1)
        var slots = [Int32](repeating: -1, count: tokens * topK)
        var out = [Float](repeating: .nan, count: tokens * topK * n)
        var expected = out
        let gateStack = gates.flatMap(\.bytes)
        let upStack = ups.flatMap(\.bytes)
        let matrixBytes = gates[0].bytes.count
        gateStack.withUnsafeBytes { gateBytes in
            upStack.withUnsafeBytes { upBytes in
                activations.bytes.withUnsafeBytes { input in
                    func bases(_ bytes: UnsafeRawBufferPointer) -> [UnsafePointer<UInt8>?] {
                        (0..<experts).map {
                            (bytes.baseAddress! + $0 * matrixBytes).assumingMemoryBound(to: UInt8.self)
                        }
                    }
                    func matrix(_ bytes: UnsafeRawBufferPointer, _ expert: Int) -> MatrixWeight {
                        MatrixWeight(
                            base: bytes.baseAddress! + expert * matrixBytes, dtype: dtype, rows: n, columns: k)
                    }
                    let (gateBases, upBases) = (bases(gateBytes), bases(upBytes))
                    forEachShare(of: 2) { share in
                        kernels.groupByExpert(
                            GroupByExpertArguments(
                                ids: ids, offsets: &offsets, slots: &slots, slotCount: ids.count, expertCount: experts),
                            share: share)
                    }
                    forEachShare(of: 3) { share in
                        kernels.gemmGrouped(
                            GroupedGemmArguments(
                                weight: WeightStack(prototype: matrix(gateBytes, 0), bases: gateBases),
                                up: WeightStack(prototype: matrix(upBytes, 0), bases: upBases), expertCount: experts,
                                offsets: offsets, slots: slots, inputDivisor: topK, activations: input.baseAddress!,
                                activationStride: activations.stride, out: &out, rowCount: ids.count),
                            share: share)
                    }
                    for slot in ids.indices {
                        let expert = Int(ids[slot])
                        expected.withUnsafeMutableBufferPointer { buffer in
                            WorkShare.withSerial { share in
                                kernels.gemm(
                                    GemmArguments(
                                        weight: matrix(gateBytes, expert), up: matrix(upBytes, expert),
                                        activations: input.baseAddress! + slot / topK * activations.stride,
                                        activationStride: activations.stride, out: buffer.baseAddress! + slot * n,
                                        rowCount: 1),
                                    share: share)
                            }
                        }
                    }
                }
            }
        }
        #expect(out == expected)
        #expect(slots.sorted() == ids.indices.map { Int32($0) })
        #expect(slots.map { ids[Int($0)] } == ids.sorted())
        #expect(Array(offsets.prefix(2)) == [0, Int32(ids.count { $0 == 0 })] && offsets.last == Int32(ids.count))
    }

    @Test(arguments: tiers, [DType.f32, .bf16, .q8_0])
    func headProductsMatchTheirDefinition(tier: KernelTier, dtype: DType) throws {
        let kernels = try kernels(tier)
        let (heads, rows, columns, tokens) = (3, 16, 32, 4)
        let weight = RandomWeight(dtype, rows: heads * rows, columns: columns, seed: 50)
        var values = [Float](repeating: 0, count: heads * rows * columns)
        weight.bytes.withUnsafeBytes {
            _ = RowConversion.dequantize(dtype, from: $0.baseAddress!, to: &values, count: values.count)
        }
        var numbers = SplitMix(seed: 51)
        let wide = numbers.floats(tokens * heads * columns)
        let narrow = numbers.floats(tokens * heads * rows)
        var forward = [Float](repeating: 0, count: tokens * heads * rows)
        var backward = [Float](repeating: 0, count: tokens * heads * columns)
        let headBytes = weight.bytes.count / heads
        let activations = Activations(kernels, wide, rows: tokens * heads, columns: columns, for: dtype)
        weight.bytes.withUnsafeBytes { bytes in
            let head = MatrixWeight(base: bytes.baseAddress!, dtype: dtype, rows: rows, columns: columns)
            activations.bytes.withUnsafeBytes { input in
                forEachShare(of: 2) { share in
                    kernels.headGemm(
                        HeadGemmArguments(
                            weight: head, headBytes: headBytes, headCount: heads, input: input.baseAddress!,
                            inputStride: heads * activations.stride, inputHeadStride: activations.stride,
                            out: &forward, outStride: heads * rows, outHeadStride: rows, rowCount: tokens),
                        share: share)
                    kernels.headGemmTransposed(
                        HeadGemmArguments(
                            weight: head, headBytes: headBytes, headCount: heads, input: narrow,
                            inputStride: heads * rows * 4, inputHeadStride: rows * 4, out: &backward,
                            outStride: heads * columns, outHeadStride: columns, rowCount: tokens),
                        share: share)
                }
            }
        }
        var expectedForward = forward.map { _ in Float(0) }
        var expectedBackward = backward.map { _ in Float(0) }
        for t in 0..<tokens {
            for h in 0..<heads {
                for r in 0..<rows {
                    for c in 0..<columns {
                        let w = values[(h * rows + r) * columns + c]
                        expectedForward[(t * heads + h) * rows + r] += w * wide[(t * heads + h) * columns + c]
                        expectedBackward[(t * heads + h) * columns + c] += w * narrow[(t * heads + h) * rows + r]
                    }
                }
            }
        }
        let budget: Float = tier == .reference || !dtype.isBlockQuantized ? 2e-6 : 8e-3
        #expect(relativeError(forward, expectedForward) < budget)
        #expect(relativeError(backward, expectedBackward) < 2e-6)
    }
}
