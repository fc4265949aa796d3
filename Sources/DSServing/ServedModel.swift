package import DSEngine

/// A model under the name by which requests ask for it.
package struct ServedModel: Sendable {
    package let name: String
    package let generator: TextGenerator
    /// What the model's `generation_config.json` recommends.
    package let defaults: SamplingParameters
    /// Seconds since 1970 when the model was loaded.
    package let created: Int

    package init(name: String, generator: TextGenerator, defaults: SamplingParameters, created: Int) {
        self.name = name
        self.generator = generator
        self.defaults = defaults
        self.created = created
    }

    /// Refuses a request whose answers could never all be queued.
    /// - Parameter count: prompts x `n`.
    func check(answers count: Int) throws(APIError) {
        guard let limit = generator.engine.configuration.maximumQueuedRequests, count > limit else { return }
        throw .invalid(
            "'n': expected at most \(limit) answers per request (prompts x n), found \(count)", parameter: "n")
    }
}
