import DSKernels
import DSModels
import DSSupport
import DSTensor

/// The rates that a machine's memory and arithmetic allow at most in the tests of `bench`.
struct TestLimits {
    struct Limit {
        /// Tokens per second.
        let rate: Double
        /// What sets it: `memory`, or the arithmetic.
        let by: String
    }

    let summary: ModelSummary
    let roofline: Roofline
    let chunk: Int
    let cacheType: DType

    func limit(of test: BenchResult) -> Limit {
        test.prompt > 0
            ? prefill(test.prompt, depth: test.depth)
            : decode(test.generate, depth: test.depth, batch: test.batch)
    }

    private func prefill(_ prompt: Int, depth: Int) -> Limit {
        var seconds = (memory: 0.0, arithmetic: 0.0, total: 0.0)
        for start in stride(from: 0, to: prompt, by: chunk) {
            let rows = min(chunk, prompt - start)
            add(
                summary.stepCost(
                    rows: rows, sampledRows: start + rows == prompt ? 1 : 0, cachedTokens: depth + start + rows,
                    cacheType: cacheType), to: &seconds)
        }
        return limit(tokens: prompt, seconds)
    }

    private func decode(_ generate: Int, depth: Int, batch: Int) -> Limit {
        var seconds = (memory: 0.0, arithmetic: 0.0, total: 0.0)
        for step in 0..<generate {
            add(
                summary.stepCost(
                    rows: batch, sampledRows: batch, cachedTokens: batch * (max(depth, 1) + step + 1),
                    cacheType: cacheType),
                to: &seconds)
        }
        return limit(tokens: generate * batch, seconds)
    }

    private func add(_ cost: StepCost, to seconds: inout (memory: Double, arithmetic: Double, total: Double)) {
        let memory = cost.bytes / roofline.readBandwidth
        let arithmetic = cost.operations / (roofline.peaks[self.arithmetic] ?? .infinity)
        seconds.memory += memory
        seconds.arithmetic += arithmetic
        seconds.total += max(memory, arithmetic)
    }

    private func limit(tokens: Int, _ seconds: (memory: Double, arithmetic: Double, total: Double)) -> Limit {
        Limit(
            rate: Double(tokens) / seconds.total,
            by: seconds.memory >= seconds.arithmetic ? "memory" : arithmetic.rawValue)
    }

    /// The fastest arithmetic in which products with most of the weights can be computed.
    private var arithmetic: Roofline.Arithmetic {
        let main = summary.inventory.bytesByType.max { $0.value < $1.value }?.key ?? .f32
        if main.isBlockQuantized, roofline.peaks[.int8] != nil { return .int8 }
        if main == .bf16, roofline.peaks[.bf16] != nil { return .bf16 }
        return .fp32
    }
}
