package import DSSupport
import Dispatch
package import Logging
import Synchronization

/// The models of a server: loads, swaps and unloads them while requests run.
///
/// Operations that change something run one after the other; requests never wait for them. A version that is replaced or
/// unloaded finishes what it is answering, then its memory goes back to the system.
package final class ModelRepository: Sendable {
    /// Who decides what is loaded.
    package enum ControlMode: String, Sendable, CaseIterable {
        /// Everything at the start; later only what an operator reloads.
        case none
        /// Requests to load and unload.
        case explicit
        /// The folder, looked at from time to time.
        case poll
    }

    package struct Options: Sendable {
        package var mode = ControlMode.none
        /// Versions that may be loaded; the one that was idle longest makes room. `nil`: no limit.
        package var maximumLoaded: Int?

        package init() {}
    }

    package let options: Options
    /// The models under their names for the other APIs.
    package let catalog: ModelCatalog
    let scan: @Sendable () throws -> [RepositoryItem]
    let loader: ModelLoader
    let logger: Logger
    let table = Mutex(RepositoryTable())
    let lock = OrderedLock()
    private let started = Atomic(false)

    /// - Parameter scan: what there is to load now.
    package init(
        options: Options, catalog: ModelCatalog, loader: ModelLoader, logger: Logger,
        scan: @escaping @Sendable () throws -> [RepositoryItem]
    ) {
        self.options = options
        self.catalog = catalog
        self.loader = loader
        self.logger = logger
        self.scan = scan
    }

    // MARK: What requests ask

    package func ready(_ name: String, _ version: Int?) throws(InferenceError) -> ModelVersion {
        try table.withLock { table throws(InferenceError) in try table.find(name, version) }
    }

    package func isReady(_ name: String, _ version: Int?) -> Bool { (try? ready(name, version)) != nil }

    package func readyVersions(_ name: String) -> [Int] { table.withLock { $0.readyVersions(name) } }

    package var readyModels: [ModelVersion] { table.withLock { $0.ready } }

    /// The server has started, and nothing is being loaded for the first time.
    package var isSettled: Bool {
        guard started.load(ordering: .acquiring) else { return false }
        return table.withLock { table in !table.models.values.joined().contains { $0.value.state == .loading } }
    }

    /// Whether a server has what it needs to take requests: a model, unless models may come later.
    package var isStocked: Bool { options.mode != .none || !readyModels.isEmpty }

    package func index(onlyReady: Bool) -> JSONValue {
        let items = (try? scan()) ?? []
        var failures: [String: String] = [:]
        for item in items {
            if case .failure(let error) = item.source { failures[item.name] = error.message }
        }
        return table.withLock { [failures] table in
            for item in items { table.know(item.name) }
            return table.index(onlyReady: onlyReady, failures: failures)
        }
    }

    // MARK: What changes something

    /// Serves a model that is not in the folder, as version 1.
    package func adopt(_ model: any InferenceModel) {
        let name = model.configuration.name
        let version = ModelVersion(name: name, version: 1, model: model, served: nil)
        table.withLock { $0[name, 1] = RepositoryTable.Slot(state: .ready, reason: "", loaded: version) }
    }

    /// The models that the mode wants at the start.
    /// - Parameter wanted: those to load in mode `explicit`; `*`: all.
    package func names(toLoad wanted: [String]) throws -> [String] {
        let names = try scan().map(\.name)
        table.withLock { table in
            for name in names { table.know(name) }
        }
        return options.mode != .explicit || wanted.contains("*") ? names : wanted
    }

    /// Loads a model for the first time; returns why it could not be.
    package func loadFirst(_ name: String) async -> String? {
        do {
            try await load(name)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// What the server starts with was loaded.
    package func hasStarted() { started.store(true, ordering: .releasing) }

    /// A request to load a model. One that is loaded stays as it is unless its files or its configuration changed.
    /// - Parameter configuration: instead of the one in the folder.
    package func requestLoad(_ name: String, configuration: JSONValue?) async throws {
        try requireExplicit("load")
        try await load(name, override: configuration)
    }

    /// A request to unload a model. Returns at once; the index shows when its memory is free.
    package func requestUnload(_ name: String) async throws(InferenceError) {
        try requireExplicit("unload")
        let versions = table.withLock { table in
            table.models[name] == nil ? nil : table.readyVersions(name)
        }
        guard let versions else {
            throw InferenceError(.notFound, "unload: expected a model of the repository, found '\(name)'")
        }
        let released = withdraw(name, versions)
        guard !released.isEmpty else { return }
        Task { await self.lock.exclusively { await self.release(released) } }
    }

    /// Looks at the folder once and follows its changes.
    package func poll() async {
        for failure in await follow().failures { logger.error("repository: \(failure)") }
    }

    /// An operator wants what changed to be served. In mode `explicit` requests decide, and nothing happens.
    package func reload() async -> RepositoryChanges {
        options.mode == .explicit ? RepositoryChanges() : await follow()
    }

    private func follow() async -> RepositoryChanges {
        var changes = RepositoryChanges()
        let items: [RepositoryItem]
        do {
            items = try scan()
        } catch {
            changes.failures.append("\(error)")
            return changes
        }
        for item in items {
            do {
                if try await load(item.name) { changes.loaded.append(item.name) }
            } catch {
                let isAbsent = readyVersions(item.name).isEmpty
                if isAbsent { catalog.setAbsent(item.name, .failed("\(error)")) }
                let rest = isAbsent ? "" : "; the one that was loaded before stays"
                changes.failures.append("model '\(item.name)': expected to load it, found: \(error)\(rest)")
            }
        }
        forgetAll(but: Set(items.map(\.name)), &changes)
        return changes
    }

    /// Unloads what left the folder.
    private func forgetAll(but names: Set<String>, _ changes: inout RepositoryChanges) {
        let gone = Set(table.withLock { $0.names }).subtracting(names)
        for name in gone.sorted() where table.withLock({ $0.isFromFolder(name) }) {
            let withdrawn = withdraw(name, readyVersions(name))
            if !withdrawn.isEmpty { changes.removed.append(name) }
            catalog.clearAbsence(of: name)
            Task {
                await self.lock.exclusively { await self.release(withdrawn) }
                self.table.withLock { $0.forget(name) }
            }
        }
    }

    private func requireExplicit(_ operation: String) throws(InferenceError) {
        guard options.mode == .explicit else {
            throw InferenceError(
                .unavailable,
                "explicit model load / unload is not allowed: \(operation): expected --model-control-mode explicit, found \(options.mode.rawValue)"
            )
        }
    }
}

extension RepositoryTable {
    /// Models that a program brought along have no fingerprint.
    func isFromFolder(_ name: String) -> Bool {
        (models[name] ?? [:]).values.contains { !$0.fingerprint.isEmpty } || (models[name]?.isEmpty ?? false)
    }
}
