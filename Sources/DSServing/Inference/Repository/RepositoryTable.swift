package import DSSupport

/// Which versions of which models are in which state. A pure value: what to load and unload comes out of it.
package struct RepositoryTable: Sendable {
    package enum State: String, Sendable {
        case ready = "READY"
        case unavailable = "UNAVAILABLE"
        case loading = "LOADING"
        case unloading = "UNLOADING"
    }

    package struct Slot: Sendable {
        package var state: State
        /// Why it is not ready, or why a newer form of it could not be loaded.
        package var reason: String
        /// Answers while `state` is ready.
        package var loaded: ModelVersion?
        package var fingerprint: String

        package init(state: State, reason: String, loaded: ModelVersion? = nil, fingerprint: String = "") {
            self.state = state
            self.reason = reason
            self.loaded = loaded
            self.fingerprint = fingerprint
        }
    }

    /// Versions by model; a model without any is known to the repository and was never loaded.
    private(set) var models: [String: [Int: Slot]] = [:]

    package init() {}

    package var names: [String] { models.keys.sorted() }

    package mutating func know(_ name: String) { models[name] = models[name] ?? [:] }

    /// Forgets a model that left the repository and of which nothing is loaded.
    package mutating func forget(_ name: String) {
        if models[name]?.values.allSatisfy({ $0.loaded == nil }) ?? false { models[name] = nil }
    }

    package subscript(_ name: String, _ version: Int) -> Slot? {
        get { models[name]?[version] }
        set { models[name, default: [:]][version] = newValue }
    }

    package func readyVersions(_ name: String) -> [Int] {
        (models[name] ?? [:]).filter { $0.value.state == .ready }.keys.sorted()
    }

    package var ready: [ModelVersion] {
        names.flatMap { name in readyVersions(name).compactMap { self[name, $0]?.loaded } }
    }

    /// The version that answers a request.
    /// - Parameter version: `nil`: the highest that is ready.
    package func find(_ name: String, _ version: Int?) throws(InferenceError) -> ModelVersion {
        guard let versions = models[name] else {
            let list = names.joined(separator: ", ")
            throw InferenceError(.notFound, "Request for unknown model: expected one of [\(list)], found '\(name)'")
        }
        if let version {
            guard let slot = versions[version] else {
                throw InferenceError(
                    .notFound,
                    "Request for unknown model: '\(name)' version \(version) is not found; ready: \(readyVersions(name))"
                )
            }
            if slot.state == .ready, let loaded = slot.loaded { return loaded }
            throw InferenceError(
                .unavailable,
                "Request for model '\(name)' version \(version): expected it to be READY, found \(slot.state.rawValue) \(slot.reason)"
            )
        }
        guard let highest = readyVersions(name).last, let loaded = versions[highest]?.loaded else {
            throw InferenceError(
                .unavailable, "Request for model '\(name)': expected a version that is READY, found none")
        }
        return loaded
    }

    /// Takes a version out of service; returns what is to be released.
    package mutating func withdraw(_ name: String, _ version: Int) -> ModelVersion? {
        guard let slot = models[name]?[version], slot.state == .ready else { return nil }
        models[name]?[version]?.state = .unloading
        models[name]?[version]?.loaded = nil
        return slot.loaded
    }

    package mutating func released(_ name: String, _ version: Int) {
        guard models[name]?[version]?.state == .unloading else { return }
        models[name]?[version] = Slot(state: .unavailable, reason: "unloaded")
    }

    /// The body of the repository's index.
    /// - Parameter failures: why models cannot be loaded of which no version is known.
    package func index(onlyReady: Bool, failures: [String: String] = [:]) -> JSONValue {
        var list: [JSONValue] = []
        for name in names {
            let versions = (models[name] ?? [:]).sorted { $0.key < $1.key }
            if versions.isEmpty, !onlyReady { list.append(Self.unknownVersions(name, failures[name])) }
            for (version, slot) in versions where !onlyReady || slot.state == .ready {
                list.append([
                    "name": .text(name), "version": .text(String(version)), "state": .text(slot.state.rawValue),
                    "reason": .text(slot.reason),
                ])
            }
        }
        return .array(list)
    }

    private static func unknownVersions(_ name: String, _ failure: String?) -> JSONValue {
        guard let failure else { return ["name": .text(name)] }
        return ["name": .text(name), "state": .text(State.unavailable.rawValue), "reason": .text(failure)]
    }

    package func brokenInvariant() -> String? {
        for (name, versions) in models {
            for (version, slot) in versions where (slot.state == .ready) != (slot.loaded != nil) {
                return "\(name) \(version) is \(slot.state.rawValue) and \(slot.loaded == nil ? "not " : "")loaded"
            }
        }
        return nil
    }
}
