import DSEngine
import DSSupport
import Dispatch
import Logging
import Synchronization

extension ModelRepository {
    /// Loads the versions that a model's policy chooses, and then withdraws the others.
    /// - Returns: whether anything was loaded: what is ready and has not changed stays as it is.
    @discardableResult
    func load(_ name: String, override: JSONValue? = nil) async throws -> Bool {
        try await lock.exclusively {
            let source = try self.source(name, override)
            let chosen = try source.chosenVersions()
            let mark = source.fingerprint + (override?.serializedString() ?? "")
            let outdated = chosen.filter { version in
                table.withLock { table in
                    table[name, version].map { $0.state != .ready || $0.fingerprint != mark } ?? true
                }
            }
            if !outdated.isEmpty {
                let scheduling = try self.scheduling(source, outdated)
                for version in outdated { try await load(source, version, mark, scheduling) }
            }
            let others = readyVersions(name).filter { !chosen.contains($0) }
            await release(withdraw(name, others))
            return !outdated.isEmpty
        }
    }

    private func source(_ name: String, _ override: JSONValue?) throws -> ModelSource {
        guard let item = try scan().first(where: { $0.name == name }) else {
            throw InferenceError(
                .notFound, "failed to load '\(name)': expected a model of the repository, found no such model")
        }
        var source: ModelSource
        do {
            source = try item.source.get()
        } catch {
            fail(name, 0, error)
            throw error
        }
        if let override {
            source.configuration = try ModelConfiguration(json: override, name: name, source: "parameter 'config'")
        }
        return source
    }

    /// What the configuration asks of the engine; the log has what changes nothing.
    private func scheduling(_ source: ModelSource, _ versions: [Int]) throws -> LanguageModelScheduling {
        let name = source.name
        do {
            let scheduling = try LanguageModelScheduling(source.configuration)
            if !source.configuration.ignoredFields.isEmpty {
                let list = source.configuration.ignoredFields.joined(separator: ", ")
                logger.warning("\(name): the configuration's fields \(list) are known and change nothing here")
            }
            for note in scheduling.notes { logger.warning("\(name): the configuration's \(note)") }
            return scheduling
        } catch {
            for version in versions { fail(name, version, error) }
            throw error
        }
    }

    private func load(
        _ source: ModelSource, _ version: Int, _ mark: String, _ scheduling: LanguageModelScheduling
    ) async throws {
        table.withLock { table in
            // What is ready goes on answering until its successor is.
            if table[source.name, version]?.loaded == nil {
                table[source.name, version] = RepositoryTable.Slot(state: .loading, reason: "")
            }
        }
        do {
            guard let location = source.versions[version] else {
                throw InferenceError(.notFound, "model '\(source.name)': expected version \(version), found none")
            }
            if case .missing(let folder) = location {
                throw InferenceError.invalid(
                    "model '\(source.name)': expected a .gguf or .ds file or config.json in \(folder), found none")
            }
            try await makeRoom(for: source.name, need: loader.need(location))
            let loaded = try await open(source, version, location, scheduling)
            let old = table.withLock { table in
                let old = table[source.name, version]?.loaded
                table[source.name, version] = RepositoryTable.Slot(
                    state: .ready, reason: "", loaded: loaded, fingerprint: mark)
                return old
            }
            publish(source.name)
            // Its last answer may be long in coming; whoever waits for the new one need not wait for it.
            if let old { Task { await self.release([old]) } }
        } catch {
            fail(source.name, version, error)
            throw error
        }
    }

    /// Opens a model on a thread that may block.
    private func open(
        _ source: ModelSource, _ version: Int, _ location: ModelSource.Location,
        _ scheduling: LanguageModelScheduling
    ) async throws -> ModelVersion {
        let served = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "load \(source.name)").async { [loader] in
                continuation.resume(with: Result { try loader.open(source.name, location, scheduling) })
            }
        }
        return ModelVersion(
            name: source.name, version: version,
            model: try LanguageModel(served, given: source.configuration, priorities: scheduling.priorities),
            served: served)
    }

    /// A version could not be loaded. One that answers goes on, with the reason in the index.
    private func fail(_ name: String, _ version: Int, _ error: any Error) {
        guard version > 0 else { return table.withLock { $0.know(name) } }
        table.withLock { table in
            if table[name, version]?.loaded == nil {
                table[name, version] = RepositoryTable.Slot(state: .unavailable, reason: "\(error)")
            } else {
                table[name, version]?.reason = "a newer form was not loaded: \(error)"
            }
        }
    }

    /// Unloads idle models until the limit allows one more, and checks that there is memory.
    private func makeRoom(for name: String, need: Int) async throws {
        if let limit = options.maximumLoaded {
            while readyModels.filter({ $0.served != nil && $0.name != name }).count >= limit {
                let idle = readyModels.filter { $0.served != nil && $0.isIdle && $0.name != name }
                guard let oldest = idle.min(by: ModelVersion.isUsedBefore) else {
                    throw InferenceError(
                        .unavailable,
                        "model '\(name)': expected fewer than \(limit) loaded models (--max-loaded-models), found \(limit) that are all busy"
                    )
                }
                logger.notice("\(oldest.name) \(oldest.version): unloaded to make room for \(name)")
                await release(withdraw(oldest.name, [oldest.version]))
            }
        }
        try MemoryNeed.check(model: name, need: need, available: SystemMemory.available)
    }

    /// Takes versions out of service; they go on with what they are answering.
    func withdraw(_ name: String, _ versions: [Int]) -> [ModelVersion] {
        let withdrawn = table.withLock { table in versions.compactMap { table.withdraw(name, $0) } }
        if !withdrawn.isEmpty { publish(name) }
        return withdrawn
    }

    /// The other APIs answer with the highest version.
    private func publish(_ name: String) {
        let newest = table.withLock { table in
            table.readyVersions(name).last.flatMap { table[name, $0]?.loaded?.served }
        }
        if let newest { catalog.add(newest) } else { catalog.remove(named: name) }
    }

    /// Waits until versions answer nothing any more, ends their engines and gives their memory back.
    func release(_ versions: [ModelVersion]) async {
        for version in versions {
            while !version.isIdle { try? await Task.sleep(for: .milliseconds(20)) }
            await version.served?.generator.engine.shutdown()
            logger.notice("\(version.name) \(version.version): unloaded")
        }
        let ids = versions.map { ($0.name, $0.version) }
        // The last references end with the caller's; what the allocator keeps goes back after that.
        Task {
            try? await Task.sleep(for: .milliseconds(50))
            SystemMemory.returnFreePages()
            self.table.withLock { table in
                for (name, version) in ids { table.released(name, version) }
            }
        }
    }
}
