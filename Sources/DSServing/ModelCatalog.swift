package import DSEngine
import Synchronization

/// The models that a server answers for, by name. They may come and go while it runs.
package final class ModelCatalog: Sendable {
    private let state: Mutex<[ServedModel]>

    package init(_ models: [ServedModel]) { state = Mutex(models) }

    /// In the order in which they were added.
    package var models: [ServedModel] { state.withLock { $0 } }

    /// The model of a request. One model serves requests that name none.
    package func model(named name: String?) throws(APIError) -> ServedModel {
        let models = models
        guard let name else {
            if models.count == 1 { return models[0] }
            throw .field("model", expected: "one of \(models.map(\.name).joined(separator: ", "))", found: nil)
        }
        guard let model = models.first(where: { $0.name == name }) else {
            throw .modelNotFound(name, available: models.map(\.name))
        }
        return model
    }

    /// Serves `model` from now on; returns the one that had its name before. Requests that run on that one go on.
    @discardableResult
    package func add(_ model: ServedModel) -> ServedModel? {
        state.withLock { models in
            guard let index = models.firstIndex(where: { $0.name == model.name }) else {
                models.append(model)
                return nil
            }
            defer { models[index] = model }
            return models[index]
        }
    }

    /// Serves no model of that name from now on; returns the one that had it.
    @discardableResult
    package func remove(named name: String) -> ServedModel? {
        state.withLock { models in
            models.firstIndex { $0.name == name }.map { models.remove(at: $0) }
        }
    }
}
