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
    /// Weights of the output head, or of the embedding that serves as one.
    package var headParameters = 0
    /// Bytes that every step reads: everything but the input embedding, the drafter and the routed experts.
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
        var expertParameters = 0
        let draftPrefix = "model.layers.\(configuration.layerCount)."
        for name in source.names {
            let tensor = try source.tensor(name)
            let count = tensor.shape.elementCount
            let isHead = name == (configuration.tiesEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight")
            tensorCount += 1
            bytes += tensor.byteCount
            if isHead { headParameters += count }
            if name.contains(".mlp.experts."), !name.hasPrefix(draftPrefix) {
                expertBytes += tensor.byteCount
            } else if !name.hasPrefix(draftPrefix), isHead || name != "model.embed_tokens.weight" {
                fixedBytes += tensor.byteCount
            }
            bytesByType[tensor.dtype, default: 0] += tensor.byteCount
            if name.hasSuffix("_scale_inv") || name.hasSuffix(".scale") { continue }
            parameters += count
            if name.hasPrefix(draftPrefix) {
                draftParameters += count
            } else if name.contains(".mlp.experts.") {
                expertParameters += count
            } else if name != "model.embed_tokens.weight" || configuration.tiesEmbeddings {
                activeParameters += count
            }
        }
        if let routing = configuration.experts?.routing {
            activeParameters += expertParameters / routing.expertCount * routing.topK
        }
    }
}
