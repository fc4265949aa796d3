package import DSGraph
package import DSTensor

/// Embedding, layers, final norm and output head: the frame of every architecture so far.
package struct DecoderModel: Sendable {
    package let configuration: ModelConfiguration
    package let layers: [DecoderLayer]
    package let draft: DraftLayer?
    private let embedding: WeightRef
    private let norm: Norm
    private let head: WeightRef

    /// `makeLayer` builds layer `index` of the architecture; it is also asked for the layers of a drafter.
    package init(
        _ store: WeightStore, _ configuration: ModelConfiguration,
        makeLayer: (_ index: Int) throws(ModelError) -> DecoderLayer
    ) throws(ModelError) {
        let dims = [configuration.vocabularySize, configuration.hiddenSize]
        self.configuration = configuration
        embedding = try store.weight("model.embed_tokens.weight", dims)
        var layers: [DecoderLayer] = []
        for index in 0..<configuration.layerCount { layers.append(try makeLayer(index)) }
        self.layers = layers
        norm = try Norm(store, "model.norm", configuration.hiddenSize, configuration.normEpsilon)
        if configuration.tiesEmbeddings {
            head = embedding
            store.ignore("lm_head.weight")
        } else {
            head = try store.weight("lm_head.weight", dims)
        }
        draft = try DraftLayer(
            store, configuration, embedding: embedding, head: head, makeLayer: makeLayer)
    }

    package func stateSpecs(_ cacheType: DType) -> [StateSpec] {
        layers.flatMap { $0.attention.stateSpecs(cacheType) }
    }

    package func trace(_ t: inout Trace, _ options: TraceOptions) throws(GraphError) -> ModelOutputs {
        let observer = options.observes ? TraceObserver() : nil
        let step = StepContext(
            tokenIDs: try t.input(.tokenIDs), positions: try t.input(.positions), slots: try t.input(.slots),
            options: options, observer: observer)
        var x = try t.embedding(step.tokenIDs, embedding)
        for (index, layer) in layers.enumerated() {
            x = try layer.trace(&t, x, step)
            observer?.record("hidden.\(index)", x)
        }
        let sampled = try t.gatherRows(x, try t.input(.sampledRows))
        let logits = try t.scope("head") { t throws(GraphError) in
            try t.linear(try norm.trace(&t, sampled), head)
        }
        let hidden = options.includesHidden ? try norm.trace(&t, x) : nil
        return ModelOutputs(logits: logits, residual: x, hidden: hidden, observations: observer?.values ?? [])
    }
}
