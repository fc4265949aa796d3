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

/// The models of one server, by name.
package struct ModelCatalog: Sendable {
    package let models: [ServedModel]

    package init(_ models: [ServedModel]) { self.models = models }

    /// The model of a request. One model serves requests that name none.
    package func model(named name: String?) throws(APIError) -> ServedModel {
        guard let name else {
            if models.count == 1 { return models[0] }
            throw .field("model", expected: "one of \(models.map(\.name).joined(separator: ", "))", found: nil)
        }
        guard let model = models.first(where: { $0.name == name }) else {
            throw .modelNotFound(name, available: models.map(\.name))
        }
        return model
    }
}
