package import DSEngine

/// A model under the name by which requests ask for it.
package struct ServedModel: Sendable {
    package let name: String
    package let generator: TextGenerator
    /// What the model's `generation_config.json` recommends.
    package let defaults: SamplingParameters
    /// What makes a text's embedding.
    package let pooling: Pooling
    /// Seconds since 1970 when the model was loaded.
    package let created: Int
    /// Requests that hold it.
    package let uses = ModelUses()
    /// Of the request that this value was given to.
    private var hold: ModelUses.Hold?

    package init(
        name: String, generator: TextGenerator, defaults: SamplingParameters, created: Int, pooling: Pooling = .last
    ) {
        self.pooling = pooling
        self.name = name
        self.generator = generator
        self.defaults = defaults
        self.created = created
    }

    /// For a request: counts as a use while it is kept.
    func held() -> ServedModel {
        var model = self
        model.hold = uses.hold()
        return model
    }

    /// OpenAI's `system_fingerprint`: the same for the same model under the same limits.
    package var fingerprint: String {
        // FNV-1a.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        let engine = generator.engine
        for byte in "\(name) \(engine.vocabularySize) \(engine.maximumContext) \(engine.endTokens)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return "fp_" + String(hash, radix: 16)
    }

    /// Refuses a request whose answers could never all be queued.
    /// - Parameter count: prompts x `n`.
    func check(answers count: Int) throws(APIError) {
        guard let limit = generator.engine.configuration.maximumQueuedRequests, count > limit else { return }
        throw .invalid(
            "'n': expected at most \(limit) answers per request (prompts x n), found \(count)", parameter: "n")
    }
}
