import DSEngine
import DSModels
import DSServing
import Foundation
import Logging

/// Loads the models while the server answers already, and follows the repository's changes.
struct ModelLoading: Sendable {
    private let settings: ServerSettings
    private let catalog: ModelCatalog
    private let state: ServerState
    let repository: ModelRepository
    private let names: [String]

    /// Whoever asks for one of the models from now on is told that it loads.
    init(settings: ServerSettings, catalog: ModelCatalog, state: ServerState) throws {
        self.settings = settings
        self.catalog = catalog
        self.state = state
        let models = settings.models
        let cacheBytes = settings.engine.kvCacheBytes
        let opening = ModelOpening(
            engine: settings.engine, prefixCache: settings.prefixCache, pooling: settings.pooling,
            chatTemplate: settings.chatTemplate, catalog: catalog, logger: settings.logger)
        repository = ModelRepository(
            options: settings.repository.options, catalog: catalog,
            loader: ModelLoader(
                open: { name, location, scheduling in try opening.open(name, location, scheduling) },
                need: { MemoryNeed.estimate($0, cacheBytes: cacheBytes) }),
            logger: settings.logger, scan: { try models.scan() })
        if settings.repository.conformanceModels {
            for model in try ConformanceModels.all() { repository.adopt(model) }
        }
        names = try repository.names(toLoad: settings.repository.loadModel)
        for name in names { catalog.setAbsent(name, .loading(bytes: 0, of: 0)) }
    }

    /// Starts loading. `onFailure` is told if no model could be loaded. The task runs until it is cancelled.
    func start(onFailure: @escaping @Sendable (ServerFailure) -> Void) -> Task<Void, Never> {
        Task {
            guard await loadAll(onFailure) else { return }
            guard settings.repository.options.mode == .poll else { return }
            let interval = Duration.seconds(settings.repository.repositoryPollSecs)
            while (try? await Task.sleep(for: interval)) != nil { await repository.poll() }
        }
    }

    @concurrent private func loadAll(_ onFailure: (ServerFailure) -> Void) async -> Bool {
        let start = ContinuousClock.now
        var failures: [String] = []
        for name in names {
            guard let reason = await repository.loadFirst(name) else { continue }
            failures.append("model '\(name)': expected to load it, found: \(reason)")
            settings.logger.error("model '\(name)' could not be loaded: \(reason)")
            catalog.setAbsent(name, .failed(reason))
        }
        guard failures.isEmpty || failures.count < names.count || settings.repository.options.mode == .poll else {
            onFailure(ServerFailure(description: failures.joined(separator: "\n")))
            return false
        }
        repository.hasStarted()
        state.advance(to: .serving)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let loaded = catalog.models.map(\.name).joined(separator: ", ")
        settings.logger.notice(
            "ready after \((seconds * 100).rounded() / 100) s: \(loaded.isEmpty ? "no model is loaded yet" : loaded)")
        return true
    }
}

/// Makes a served model of files.
private struct ModelOpening: Sendable {
    let engine: EngineConfiguration
    let prefixCache: PrefixCacheOptions
    let pooling: EmbeddingOptions
    let chatTemplate: String?
    let catalog: ModelCatalog
    let logger: Logger

    /// What an operator sizes a machine by.
    private static func summary(_ model: LoadedModel, _ engine: Engine) -> String {
        let statistics = engine.statistics()
        let tokens = statistics.totalBlocks * statistics.blockSize
        var text = "\(model.configuration.architecture), context \(engine.maximumContext)"
        let possible = model.configuration.maximumContext
        if engine.maximumContext < possible {
            text += " of the model's \(possible), as the cache holds no more (--cache-memory)"
        }
        return text + "; the cache holds \(tokens) tokens of all requests together"
    }

    func open(
        _ name: String, _ location: ModelSource.Location, _ scheduling: LanguageModelScheduling
    ) throws -> ServedModel {
        var engine = engine
        scheduling.apply(to: &engine)
        // A model that is replaced goes on answering: nothing is absent.
        let isNew = !catalog.models.contains { $0.name == name }
        let absence = catalog.all.absences.first { $0.name == name }
        do {
            let model: LoadedModel =
                switch location {
                case .embedded: try .embedded()
                case .path(let path), .missing(let path): try .open(path: path)
                }
            let path: String? = if case .path(let path) = location { path } else { nil }
            let line = PageInLine.report()
            let generator = try TextGenerator(
                model: model, configuration: engine, store: try prefixCache.store(for: name, logger: logger),
                chatTemplate: chatTemplate
            ) { [catalog] done, total in
                if isNew { catalog.setAbsent(name, .loading(bytes: done, of: total)) }
                return line(done, total)
            }
            if let note = generator.engine.note { logger.warning("\(name): \(note)") }
            logger.notice("serving '\(name)': \(Self.summary(model, generator.engine))")
            return ServedModel(
                name: name, generator: generator, defaults: GenerationDefaults(model).sampling,
                created: Int(Date().timeIntervalSince1970), pooling: try pooling.pooling(ofModelAt: path))
        } catch {
            // Until whoever asked for it says why, it is what it was: probes find it at every moment.
            if let absence { catalog.setAbsent(name, absence.reason) } else { catalog.clearAbsence(of: name) }
            throw error
        }
    }
}
