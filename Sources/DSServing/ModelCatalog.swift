import Synchronization

/// The models that a server answers for, by name. They may come and go while it runs.
package final class ModelCatalog: Sendable {
    /// A model that has a name and does not answer (yet).
    package struct Absence: Sendable, Equatable {
        package enum Reason: Sendable, Equatable {
            /// Bytes of weights that are read into memory, of those that were missing there; equal when that is done.
            case loading(bytes: Int, of: Int)
            case failed(String)
        }

        package let name: String
        package var reason: Reason
    }

    private struct State {
        var models: [ServedModel]
        var absences: [Absence] = []

        func model(named name: String?) -> ServedModel? {
            if let name { return models.first { $0.name == name } }
            return models.count == 1 && absences.isEmpty ? models[0] : nil
        }
    }

    private let state: Mutex<State>
    /// The first is the name of a model, the others are further names of the same one.
    private let names: [String]

    /// - Parameter names: What a model is called, if it has further names: requests may use any, answers and metrics have the first.
    package init(_ models: [ServedModel] = [], names: [String] = []) {
        state = Mutex(State(models: models))
        self.names = names
    }

    /// The model's own name first, then its further ones.
    package func names(of model: ServedModel) -> [String] {
        model.name == names.first ? names : [model.name]
    }

    /// In the order in which they were added.
    package var models: [ServedModel] { state.withLock { $0.models } }

    /// The models, and those that load or could not be loaded in the order in which that began, at one moment.
    package var all: (models: [ServedModel], absences: [Absence]) { state.withLock { ($0.models, $0.absences) } }

    /// The model of a request, which is not ended while the request keeps it. One model serves requests that name none.
    package func model(named name: String?) throws(APIError) -> ServedModel {
        let name = name.map { names.dropFirst().contains($0) ? names[0] : $0 }
        let (found, models, absences) = state.withLock { state in
            // Held before anybody can replace it.
            (state.model(named: name)?.held(), state.models, state.absences)
        }
        if let found { return found }
        guard let name else {
            if models.isEmpty, absences.count == 1 { throw .modelAbsent(absences[0]) }
            let names = models.flatMap { self.names(of: $0) } + absences.map(\.name)
            guard !names.isEmpty else { throw .noModel }
            throw .field("model", expected: "one of \(names.joined(separator: ", "))", found: nil)
        }
        if let absence = absences.first(where: { $0.name == name }) { throw .modelAbsent(absence) }
        throw .modelNotFound(name, available: models.flatMap { names(of: $0) })
    }

    /// Says why the model of that name does not answer, unless one of that name does.
    package func setAbsent(_ name: String, _ reason: Absence.Reason) {
        state.withLock { state in
            if let index = state.absences.firstIndex(where: { $0.name == name }) {
                state.absences[index].reason = reason
            } else {
                state.absences.append(Absence(name: name, reason: reason))
            }
        }
    }

    /// Forgets a model that does not answer.
    package func clearAbsence(of name: String) {
        state.withLock { state in state.absences.removeAll { $0.name == name } }
    }

    /// Serves `model` from now on; returns the one that had its name before. Requests that run on that one go on.
    @discardableResult
    package func add(_ model: ServedModel) -> ServedModel? {
        state.withLock { state in
            state.absences.removeAll { $0.name == model.name }
            guard let index = state.models.firstIndex(where: { $0.name == model.name }) else {
                state.models.append(model)
                return nil
            }
            defer { state.models[index] = model }
            return state.models[index]
        }
    }

    /// Serves no model of that name from now on; returns the one that had it.
    @discardableResult
    package func remove(named name: String) -> ServedModel? {
        state.withLock { state in
            state.models.firstIndex { $0.name == name }.map { state.models.remove(at: $0) }
        }
    }
}
