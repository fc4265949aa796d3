import DSEngine
import DSModels
import DSServing
import Foundation
import Logging

/// Loads the models one after the other while the server answers already.
struct ModelLoading {
    let settings: ServerSettings
    let catalog: ModelCatalog
    let state: ServerState

    /// Starts a thread that loads all models. `onFailure` is told if none could be.
    func start(onFailure: @escaping @Sendable (ServerFailure) -> Void) {
        for entry in settings.models.entries { catalog.setAbsent(entry.name, .loading(bytes: 0, of: 0)) }
        let loading = Unchecked(value: self)
        Thread.detachNewThread { loading.value.loadAll(onFailure) }
    }

    private func loadAll(_ onFailure: (ServerFailure) -> Void) {
        let start = ContinuousClock.now
        var failures: [String] = []
        for entry in settings.models.entries {
            do {
                catalog.add(try load(entry))
            } catch {
                let reason = "\(error)"
                failures.append("model '\(entry.name)': expected to load it, found: \(reason)")
                settings.logger.error("model '\(entry.name)' could not be loaded: \(reason)")
                catalog.setAbsent(entry.name, .failed(reason))
            }
        }
        guard failures.count < settings.models.entries.count else {
            return onFailure(ServerFailure(description: failures.joined(separator: "\n")))
        }
        state.advance(to: .serving)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let names = catalog.models.map(\.name).joined(separator: ", ")
        settings.logger.notice("ready after \((seconds * 100).rounded() / 100) s: \(names)")
    }

    private func load(_ entry: ModelSelection.Entry) throws -> ServedModel {
        let model = try entry.open()
        let line = PageInLine.report()
        let generator = try TextGenerator(
            model: model, configuration: settings.engine, store: try settings.prefixCache.store(for: entry.name)
        ) { [catalog] done, total in
            catalog.setAbsent(entry.name, .loading(bytes: done, of: total))
            return line(done, total)
        }
        if let note = generator.engine.note { settings.logger.warning("\(entry.name): \(note)") }
        settings.logger.notice(
            "serving '\(entry.name)': \(model.configuration.architecture), context \(generator.engine.maximumContext)")
        return ServedModel(
            name: entry.name, generator: generator, defaults: GenerationDefaults(model).sampling,
            created: Int(Date().timeIntervalSince1970), pooling: try settings.pooling.pooling(ofModelAt: entry.path))
    }
}

/// Carries a value to a thread.
private struct Unchecked<Value>: @unchecked Sendable {
    // SAFETY: settings are constants, the catalog and the state are sendable; one thread uses the copy.
    let value: Value
}
