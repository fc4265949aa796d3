package import DSGraph
package import DSTensor

/// What a block of a network is given besides its input: the step's leaves and how to trace.
package struct StepContext {
    /// `[T]` i32. Blocks that route by token (hash routing) read it.
    package let tokenIDs: Value
    /// `[T]` i32.
    package let positions: Value
    /// `[T]` i32: cache rows to write.
    package let slots: Value
    package let options: TraceOptions
    package let observer: TraceObserver?
}

/// Choices of whoever traces a model.
package struct TraceOptions: Sendable, Hashable {
    /// Which form of latent attention prompt rows take; generated rows are always absorbed.
    package enum LatentForm: Sendable, Hashable { case naive, absorbed }

    /// Element type of the key-value cache: f32, f16, bf16 or q8_0.
    package var cacheType: DType
    package var latentForm: LatentForm
    /// Adds outputs for inspection: `router.L` (chosen experts) and `hidden.L` (the residual stream after layer L).
    package var observes: Bool
    /// Adds the output `hidden`: what the final norm makes of the residual stream, for embeddings.
    package var includesHidden: Bool

    package init(
        cacheType: DType = .bf16, latentForm: LatentForm = .naive, observes: Bool = false, includesHidden: Bool = false
    ) {
        self.cacheType = cacheType
        self.latentForm = latentForm
        self.observes = observes
        self.includesHidden = includesHidden
    }
}

/// Collects values for inspection while a model is traced.
package final class TraceObserver {
    package private(set) var values: [(name: String, value: Value)] = []

    package init() {}

    package func record(_ name: String, _ value: Value) { values.append((name, value)) }
}

/// Mixes tokens: reads and writes the cache.
package protocol AttentionBlock: Sendable {
    func stateSpecs(_ cacheType: DType) -> [StateSpec]
    /// `x [T, d] -> [T, d]`.
    func trace(_ t: inout Trace, _ x: Value, _ step: StepContext) throws(GraphError) -> Value
}

/// Transforms each token by itself.
package protocol FeedForwardBlock: Sendable {
    /// `x [T, d] -> [T, d]`.
    func trace(_ t: inout Trace, _ x: Value, _ step: StepContext) throws(GraphError) -> Value
}
