internal import DSGraph
package import DSTensor

/// How many weights a file holds, in which formats, and how many of them one token touches.
package struct TensorInventory: Sendable {
    package var tensorCount = 0
    /// Weights, without the scales of FP8 blocks.
    package var parameters = 0
    /// Weights that one generated token reads: everything but the input embedding, the drafter and idle experts.
    package var activeParameters = 0
    package var draftParameters = 0
    /// Those of `activeParameters` that only rows with wanted logits have to meet, where nobody reads the residual stream or hidden
    /// states: what follows the last layer's attention, and the head.
    package var tailParameters = 0
    /// Bytes of such weights, routed experts among them only in `tailExpertBytes`.
    package var tailBytes = 0
    package var tailExpertBytes = 0
    /// Bytes that every step with wanted logits reads: everything but the input embedding, the drafter and the routed experts.
    package var fixedBytes = 0
    package var expertBytes = 0
    package var bytes = 0
    package var bytesByType: [DType: Int] = [:]
    /// Copies that loading made beside the mapped file.
    package var convertedBytes: Int

    package init(
        _ source: any TensorSource, _ configuration: ModelConfiguration, convertedBytes: Int
    ) throws(ModelError) {
        self.convertedBytes = convertedBytes
        var (expertParameters, tailExpertParameters) = (0, 0)
        let draftPrefix = "model.layers.\(configuration.layerCount)."
        let last = "model.layers.\(configuration.layerCount - 1)."
        let tailPrefixes =
            ["self_attn.o_proj.", "post_attention_layernorm.", "mlp."].map { last + $0 } + ["model.norm."]
        for name in source.names {
            let tensor = try source.tensor(name)
            let count = tensor.shape.elementCount
            let isHead = name == (configuration.tiesEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight")
            tensorCount += 1
            bytes += tensor.byteCount
            let isTail = isHead || tailPrefixes.contains { name.hasPrefix($0) }
            if name.contains(".mlp.experts."), !name.hasPrefix(draftPrefix) {
                expertBytes += tensor.byteCount
                if isTail { tailExpertBytes += tensor.byteCount }
            } else if !name.hasPrefix(draftPrefix), isHead || name != "model.embed_tokens.weight" {
                fixedBytes += tensor.byteCount
                if isTail { tailBytes += tensor.byteCount }
            }
            bytesByType[tensor.dtype, default: 0] += tensor.byteCount
            if name.hasSuffix("_scale_inv") || name.hasSuffix(".scale") { continue }
            parameters += count
            if name.hasPrefix(draftPrefix) {
                draftParameters += count
            } else if name.contains(".mlp.experts.") {
                expertParameters += count
                if isTail { tailExpertParameters += count }
            } else if name != "model.embed_tokens.weight" || configuration.tiesEmbeddings {
                activeParameters += count
                if isTail { tailParameters += count }
            }
        }
        if let routing = configuration.experts?.routing {
            activeParameters += expertParameters / routing.expertCount * routing.topK
            tailParameters += tailExpertParameters / routing.expertCount * routing.topK
        }
    }
}
