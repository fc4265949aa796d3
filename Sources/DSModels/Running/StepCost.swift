internal import DSGraph
package import DSTensor

/// The least that a step must read from memory and compute, whoever computes it.
package struct StepCost: Sendable, Equatable {
    /// Weights that its rows touch, once, and the cache rows that they see.
    package var bytes: Double
    /// Multiplications and additions in products with weights; those of attention are left out.
    package var operations: Double
}

extension ModelSummary {
    /// - Parameters:
    ///   - rows: tokens of the step.
    ///   - sampledRows: rows whose logits are computed.
    ///   - cachedTokens: tokens in the cache that are read, over all sequences.
    package func stepCost(rows: Int, sampledRows: Int, cachedTokens: Int, cacheType: DType) -> StepCost {
        var bytes = Double(inventory.fixedBytes)
        if let routing = configuration.experts?.routing {
            // Experts that at least one of the rows chooses, if they choose evenly.
            let idle = 1 - Double(routing.topK) / Double(routing.expertCount)
            var untouched = 1.0
            for _ in 0..<min(rows, 100_000) { untouched *= idle }
            bytes += Double(inventory.expertBytes) * (1 - untouched)
        }
        bytes += Double(cachedTokens * cacheBytesPerToken(cacheType))
        let head = Double(inventory.headParameters)
        let body = Double(inventory.activeParameters) - head
        return StepCost(bytes: bytes, operations: 2 * (body * Double(rows) + head * Double(sampledRows)))
    }
}
