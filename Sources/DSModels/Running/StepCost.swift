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
        var bytes = Double(inventory.fixedBytes - (sampledRows == 0 ? inventory.tailBytes : 0))
        if let routing = configuration.experts?.routing {
            let tail = Double(inventory.tailExpertBytes)
            bytes += (Double(inventory.expertBytes) - tail) * routing.touchedPart(rows: rows)
            bytes += tail * routing.touchedPart(rows: sampledRows)
        }
        bytes += Double(cachedTokens * cacheBytesPerToken(cacheType))
        let tail = Double(inventory.tailParameters)
        let body = Double(inventory.activeParameters) - tail
        return StepCost(bytes: bytes, operations: 2 * (body * Double(rows) + tail * Double(sampledRows)))
    }
}

extension RoutingParameters {
    /// Part of the experts that at least one of `rows` chooses, if they choose evenly.
    fileprivate func touchedPart(rows: Int) -> Double {
        let idle = 1 - Double(topK) / Double(expertCount)
        var untouched = 1.0
        for _ in 0..<min(rows, 100_000) { untouched *= idle }
        return 1 - untouched
    }
}
