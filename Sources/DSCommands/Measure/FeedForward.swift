import DSKernels
import DSSupport
import DSTensor

/// A model that is no language model, to measure batching with: layers of `width` x `width` with SiLU between them, in Float32.
/// Its weights are read once per batch, which is what batching saves.
final class FeedForward: @unchecked Sendable {
    // SAFETY: the weights are written in init only; `compute` is called by one batch at a time, as the batcher promises.

    let width: Int
    private let kernels: KernelSet
    private let pool: ThreadPool
    private let layers: [AnonymousMemory]

    init(width: Int, layers count: Int, threads: Int?) throws {
        self.width = width
        kernels = try KernelSet.selected()
        pool = try ThreadPool(threadCount: threads)
        layers = try (0..<count).map { layer in
            let memory = try AnonymousMemory(byteCount: width * width * 4)
            let values = memory.base.assumingMemoryBound(to: Float.self)
            var state = UInt64(layer + 1)
            for index in 0..<(width * width) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                values[index] = (Float(state >> 40) / Float(1 << 24) - 0.5) * 4 / Float(width).squareRoot()
            }
            return memory
        }
    }

    /// - Parameter batch: rows of `width` numbers.
    func compute(_ batch: [[Float]]) -> [[Float]] {
        var rows = batch.flatMap { $0 }
        var output = [Float](repeating: 0, count: rows.count)
        for layer in layers {
            let weight = MatrixWeight(base: layer.base, dtype: .f32, rows: width, columns: width)
            rows.withUnsafeBufferPointer { input in
                output.withUnsafeMutableBufferPointer { output in
                    guard let input = input.baseAddress, let output = output.baseAddress else { return }
                    let arguments = GemmArguments(
                        weight: weight, activations: input, activationStride: width * 4, out: output,
                        rowCount: batch.count, epilogue: .silu)
                    pool.run { [kernels] share in kernels.gemm(arguments, share: share) }
                }
            }
            swap(&rows, &output)
        }
        return batch.indices.map { Array(rows[($0 * width)..<(($0 + 1) * width)]) }
    }
}
