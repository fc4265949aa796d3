import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// Weights with sixteen rows side by side against the same weights in rows, which `GemmTests` compares with the definition.
@Suite struct InterleavingTests {
    struct Case: CustomStringConvertible, Sendable {
        let tier: KernelTier
        let dtype: DType
        var description: String { "\(tier.rawValue) \(dtype)" }

        /// Blocks of odd number, of which some formats keep two together.
        var columns: Int { dtype.blockElements == 256 ? 768 : 352 }
    }

    /// Integer formats: their sums are exact within a block, so that the order of lanes does not show.
    static let cases = tiers.flatMap { tier -> [Case] in
        guard let kernels = KernelSet.forTier(tier) else { return [] }
        return GemmCase.weightFormats.map { Case(tier: tier, dtype: $0) }
            .filter { $0.dtype != .bf16 && kernels.canInterleave($0.dtype, columns: $0.columns) }
    }

    @Test(arguments: tiers.filter { $0 != .reference })
    func vectorTiersInterleaveWhatReleasedModelsUse(tier: KernelTier) {
        let formats = Self.cases.filter { $0.tier == tier }.map(\.dtype)
        #expect(Set(formats) == [.q4_0, .q5_0, .q8_0, .q4K, .q5K, .q6K])
        #expect(KernelSet.forTier(tier)?.canInterleave(.bf16, columns: 352) == true)
    }

    /// Calls `body` with the matrix whose copy was made by `workers` workers.
    private func withInterleaved(
        _ kernels: KernelSet, _ weight: RandomWeight, workers: Int = 3, _ body: (MatrixWeight) -> Void
    ) {
        weight.withMatrix { matrix in
            let bytes = kernels.interleavedByteCount(rows: matrix.rows, rowBytes: matrix.rowBytes)
            let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            defer { copy.deallocate() }
            copy.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
            forEachShare(of: workers) { kernels.interleave(matrix, to: copy, share: $0) }
            body(kernels.interleaved(matrix, at: copy))
        }
    }

    /// Copying some rows at a time gives the bytes of the whole copy.
    @Test(arguments: cases) func partsMakeTheWhole(item: Case) throws {
        let kernels = try kernels(item.tier)
        RandomWeight(item.dtype, rows: 75, columns: item.columns, seed: 83).withMatrix { matrix in
            let bytes = kernels.interleavedByteCount(rows: matrix.rows, rowBytes: matrix.rowBytes)
            let copies = (0..<2).map { _ in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 64)
                copy.initializeMemory(as: UInt8.self, repeating: 0xFF)
                return copy
            }
            defer { for copy in copies { copy.deallocate() } }
            WorkShare.withSerial { kernels.interleave(matrix, to: copies[0].baseAddress!, share: $0) }
            for rows in [48..<75, 16..<16, 0..<16, 16..<48] {
                kernels.interleave(matrix, rows: rows, to: copies[1].baseAddress!)
            }
            #expect(copies[0].elementsEqual(copies[1]))
        }
    }

    private func product(
        _ kernels: KernelSet, _ weight: MatrixWeight, up: MatrixWeight? = nil, _ activations: Activations, rows: Int,
        workers: Int = 1
    ) -> [Float] {
        var out = [Float](repeating: .nan, count: rows * weight.rows)
        out.withUnsafeMutableBufferPointer { buffer in
            activations.bytes.withUnsafeBytes { bytes in
                let arguments = GemmArguments(
                    weight: weight, up: up, activations: bytes.baseAddress!, activationStride: activations.stride,
                    out: buffer.baseAddress!, rowCount: rows)
                forEachShare(of: workers) { kernels.gemm(arguments, share: $0) }
            }
        }
        return out
    }

    @Test(arguments: cases)
    func productsAreTheSameBits(item: Case) throws {
        let kernels = try kernels(item.tier)
        let weight = RandomWeight(item.dtype, rows: 37, columns: item.columns, seed: 80)
        let up = RandomWeight(item.dtype, rows: 37, columns: item.columns, seed: 81)
        var numbers = SplitMix(seed: 82)
        let x = numbers.floats(120 * item.columns)
        let activations = Activations(kernels, x, rows: 120, columns: item.columns, for: item.dtype)
        withInterleaved(kernels, weight) { interleaved in
            weight.withMatrix { plain in
                for rows in Array(1...13) + [16, 24, 25, 47, 48, 49, 96, 97, 120] {
                    let expected = product(kernels, plain, activations, rows: rows)
                    #expect(!expected.contains { !$0.isFinite })
                    #expect(product(kernels, interleaved, activations, rows: rows) == expected, "\(rows) rows")
                }
                #expect(
                    product(kernels, interleaved, activations, rows: 30, workers: 4)
                        == product(kernels, plain, activations, rows: 30))
            }
            up.withMatrix { plainUp in
                withInterleaved(kernels, up) { interleavedUp in
                    weight.withMatrix { plain in
                        let expected = product(kernels, plain, up: plainUp, activations, rows: 19)
                        #expect(product(kernels, interleaved, up: interleavedUp, activations, rows: 19) == expected)
                    }
                }
            }
        }
    }

    /// To nearest, ties to even.
    private static func roundedToBF16(_ x: Float) -> Float {
        let bits = x.bitPattern
        return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }

    @Test("BF16 is summed in another order than in rows, and in the same one for any number of rows", arguments: tiers)
    func floatsKeepOneOrder(tier: KernelTier) throws {
        let kernels = try kernels(tier)
        let columns = 354
        guard kernels.canInterleave(.bf16, columns: columns) else { return }
        let weight = RandomWeight(.bf16, rows: 150, columns: columns, seed: 85)
        let up = RandomWeight(.bf16, rows: 150, columns: columns, seed: 86)
        var numbers = SplitMix(seed: 87)
        let x = numbers.floats(120 * columns)
        let activations = Activations(kernels, x, rows: 120, columns: columns, for: .bf16)
        // Instructions for BF16 multiply activations of that type.
        let rounds = tier == .avx512 && KernelSet.features.contains("avx512_bf16")
        let inRows = Activations(
            kernels, rounds ? x.map(Self.roundedToBF16) : x, rows: 120, columns: columns, for: .bf16)
        withInterleaved(kernels, weight) { interleaved in
            let all = product(kernels, interleaved, activations, rows: 120, workers: 3)
            weight.withMatrix { plain in
                let expected = product(kernels, plain, inRows, rows: 120)
                for (found, wanted) in zip(all, expected) { #expect(abs(found - wanted) <= 2e-5 * (1 + abs(wanted))) }
            }
            for rows in Array(1...13) + [24, 95, 96, 97] {
                #expect(product(kernels, interleaved, activations, rows: rows) == Array(all.prefix(rows * 150)))
            }
            withInterleaved(kernels, up) { interleavedUp in
                let all = product(kernels, interleaved, up: interleavedUp, activations, rows: 120)
                let few = product(kernels, interleaved, up: interleavedUp, activations, rows: 2)
                #expect(few == Array(all.prefix(300)))
                weight.withMatrix { plain in
                    up.withMatrix { plainUp in
                        let expected = product(kernels, plain, up: plainUp, inRows, rows: 120)
                        for (found, wanted) in zip(all, expected) {
                            #expect(abs(found - wanted) <= 1e-4 * (1 + abs(wanted)))
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: cases)
    func wideRowsDoNotFitTheScratchAtOnce(item: Case) throws {
        let kernels = try kernels(item.tier)
        let columns = 40_960
        let weight = RandomWeight(item.dtype, rows: 17, columns: columns, seed: 83)
        var numbers = SplitMix(seed: 84)
        let x = numbers.floats(20 * columns)
        let activations = Activations(kernels, x, rows: 20, columns: columns, for: item.dtype)
        withInterleaved(kernels, weight) { interleaved in
            weight.withMatrix { plain in
                let expected = product(kernels, plain, activations, rows: 20)
                #expect(product(kernels, interleaved, activations, rows: 20) == expected)
            }
        }
    }
}
