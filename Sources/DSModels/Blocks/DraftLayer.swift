package import DSGraph
internal import DSTensor

/// Multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2): drafts the token after the next one.
///
/// `h' = layer(eh_proj [enorm(embedding(token i+1)), hnorm(residual i)])`, logits from the shared head after its own
/// norm. The residual is the main model's last hidden state before the final norm; positions are those of token i.
package struct DraftLayer: Sendable {
    package let layer: DecoderLayer
    private let embedding: WeightRef
    private let embeddingNorm: Norm
    private let residualNorm: Norm
    private let projection: Linear
    private let norm: Norm
    private let head: WeightRef
    private let hiddenSize: Int

    /// Nil if the configuration announces no such layer, or if the file leaves out all of its tensors.
    package init?(
        _ store: WeightStore, _ configuration: ModelConfiguration, embedding: WeightRef, head: WeightRef,
        makeLayer: (_ index: Int) throws(ModelError) -> DecoderLayer
    ) throws(ModelError) {
        let prefix = "model.layers.\(configuration.layerCount)"
        guard configuration.draftLayerCount > 0, store.contains(prefix: prefix + ".") else { return nil }
        let (hidden, epsilon) = (configuration.hiddenSize, configuration.normEpsilon)
        let dims = [configuration.vocabularySize, hidden]
        hiddenSize = hidden
        embeddingNorm = try Norm(store, "\(prefix).enorm", hidden, epsilon)
        residualNorm = try Norm(store, "\(prefix).hnorm", hidden, epsilon)
        projection = try Linear(store, "\(prefix).eh_proj", hidden, 2 * hidden)
        layer = try makeLayer(configuration.layerCount)
        norm = try Norm(store, "\(prefix).shared_head.norm", hidden, epsilon)
        let (ownEmbedding, ownHead) = ("\(prefix).embed_tokens.weight", "\(prefix).shared_head.head.weight")
        self.embedding = store.contains(ownEmbedding) ? try store.weight(ownEmbedding, dims) : embedding
        self.head = store.contains(ownHead) ? try store.weight(ownHead, dims) : head
    }

    package var vocabularySize: Int { embedding.rows }

    /// Input name of the main model's residual stream `[T, d]`.
    package static let residualInput = "residual"

    /// `tokenIDs` are those that follow each row; the rows' own positions and slots are as in the main model.
    package func trace(_ t: inout Trace, _ options: TraceOptions) throws(GraphError) -> ModelOutputs {
        let step = StepContext(
            tokenIDs: try t.input(.tokenIDs), positions: try t.input(.positions), slots: try t.input(.slots),
            options: options, observer: nil)
        let residual = try t.input(
            .tensor(name: Self.residualInput), ValueType(.f32, [.tokens, .fixed(hiddenSize)]))
        let embedded = try t.embedding(step.tokenIDs, embedding)
        let joined = try t.concat(
            [try embeddingNorm.trace(&t, embedded), try residualNorm.trace(&t, residual)], axis: 1)
        let x = try layer.trace(&t, try projection.trace(&t, joined), step)
        let sampled = try t.gatherRows(x, try t.input(.sampledRows))
        let logits = try t.linear(try norm.trace(&t, sampled), head)
        return ModelOutputs(logits: logits, residual: x, hidden: nil, observations: [])
    }
}
