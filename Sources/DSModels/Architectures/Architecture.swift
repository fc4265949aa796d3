package import DSGraph
package import DSTensor

/// A family of networks: how its configuration reads, which weights it needs, and what it computes.
///
/// To add one, write one file with a conforming type and name it in `ModelRegistry`; see `docs/adding-a-model.md`.
package protocol Architecture: Sendable {
    /// Values of `model_type` in `config.json`.
    static var modelTypes: [String] { get }

    /// Takes every tensor it needs from `weights`; the caller then checks that none is left over.
    init(_ reader: ConfigurationReader, _ weights: WeightStore) throws(ModelError)

    var configuration: ModelConfiguration { get }

    /// The state that a sequence needs, in the order of the layers.
    func stateSpecs(_ cacheType: DType) -> [StateSpec]

    /// Records the whole network.
    func trace(_ t: inout Trace, _ options: TraceOptions) throws(GraphError) -> ModelOutputs

    /// The drafter for speculative decoding, if the checkpoint has one.
    var draft: DraftLayer? { get }
}

extension Architecture {
    /// The network as a graph of its own, not optimised, with the output `logits`, and with `residual` if drafters need it,
    /// and `hidden` if the options say so.
    package func graph(_ options: TraceOptions, includesResidual: Bool = false) throws(GraphError) -> Graph {
        var trace = Trace()
        let outputs = try self.trace(&trace, options)
        let residual = includesResidual ? [("residual", outputs.residual)] : []
        let hidden = outputs.hidden.map { [("hidden", $0)] } ?? []
        return try trace.finish(outputs: [("logits", outputs.logits)] + residual + hidden)
    }
}

extension Architecture {
    /// The state that the drafter adds to a sequence's.
    package func draftStateSpecs(_ cacheType: DType) -> [StateSpec] {
        draft?.layer.attention.stateSpecs(cacheType) ?? []
    }
}

/// What a traced network offers its caller.
package struct ModelOutputs {
    /// `[S, vocabulary]`: logits of the sampled rows.
    package let logits: Value
    /// `[T, d]`: the residual stream before the final norm, which drafters read.
    package let residual: Value
    /// `[T, d]`: the residual stream after the final norm, if it was asked for.
    package let hidden: Value?
    /// Values for inspection, empty unless asked for.
    package let observations: [(name: String, value: Value)]
}

/// Architectures whose frame is `DecoderModel` get the rest for free.
package protocol DecoderArchitecture: Architecture {
    var model: DecoderModel { get }
}

extension DecoderArchitecture {
    package var configuration: ModelConfiguration { model.configuration }
    package var draft: DraftLayer? { model.draft }

    package func stateSpecs(_ cacheType: DType) -> [StateSpec] { model.stateSpecs(cacheType) }

    package func trace(_ t: inout Trace, _ options: TraceOptions) throws(GraphError) -> ModelOutputs {
        try model.trace(&t, options)
    }
}
