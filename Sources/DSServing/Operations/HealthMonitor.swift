import DSEngine
package import DSSupport
package import HTTPTypes
import Synchronization

/// Answers whether the server lives and whether it takes requests. It reads counters and computes nothing, so it can be
/// asked from any thread.
package final class HealthMonitor: Sendable {
    package enum Question: Sendable {
        /// Does every engine make progress?
        case live
        /// Will a request be taken?
        case ready

        /// The paths by which probes ask.
        package init?(path: String) {
            switch path {
            case "/health", "/healthz", "/livez", "/ping": self = .live
            case "/ready", "/readyz": self = .ready
            default: return nil
            }
        }

        static let paths = ["/health", "/healthz", "/livez", "/ping", "/ready", "/readyz"]
    }

    private let catalog: ModelCatalog
    private let state: ServerState
    private let repository: ModelRepository?
    private let timeout: Duration
    private let progress = Mutex<[ObjectIdentifier: Progress]>([:])

    /// - Parameters:
    ///   - repository: models that are not in the catalog; nil: none.
    ///   - timeout: an engine that has work and ends no step for longer is stuck.
    package init(
        catalog: ModelCatalog, state: ServerState, repository: ModelRepository? = nil, timeout: Duration
    ) {
        self.catalog = catalog
        self.state = state
        self.repository = repository
        self.timeout = timeout
    }

    /// Engines that have had work and ended no step for longer than the timeout.
    package func stuck(now: ContinuousClock.Instant = .now) -> [(model: String, for: Duration)] {
        let models = catalog.models
        return progress.withLock { progress in
            var kept: [ObjectIdentifier: Progress] = [:]
            var stuck: [(model: String, for: Duration)] = []
            for model in models {
                let id = ObjectIdentifier(model.generator.engine)
                var state = progress[id] ?? Progress()
                let duration = state.stalled(model.generator.engine.statistics(), now: now)
                kept[id] = state
                if duration > timeout { stuck.append((model.name, duration)) }
            }
            progress = kept
            return stuck
        }
    }

    /// Whether requests are taken; nil, or why not.
    package func reasonNotReady() -> String? {
        switch state.phase {
        case .leaving, .draining: return "the server is stopping"
        case .starting: return "models are loading"
        case .serving: break
        }
        if catalog.models.isEmpty, !(repository?.isStocked ?? false) { return "no model is loaded" }
        return stuck().first.map(Self.text)
    }

    /// - Parameter detailed: whether who asks may know the models' names and figures.
    package func answer(_ question: Question, detailed: Bool) -> (status: HTTPResponse.Status, body: JSONValue) {
        let reason: String?
        var object = JSONObject()
        switch question {
        case .live:
            reason = stuck().first.map(Self.text)
            object.insert("status", reason == nil ? .text(phaseName) : "stuck")
        case .ready:
            reason = reasonNotReady()
            object.insert("status", reason == nil ? "ready" : "not_ready")
        }
        if let reason { object.insert("reason", .text(detailed ? reason : "not available")) }
        if detailed { object.insert("models", .object(models())) }
        return (reason == nil ? .ok : .serviceUnavailable, .object(object))
    }

    private var phaseName: String {
        switch state.phase {
        case .starting: "starting"
        case .serving: "ok"
        case .leaving, .draining: "draining"
        }
    }

    private static func text(_ stuck: (model: String, for: Duration)) -> String {
        "the engine of '\(stuck.model)' has work and has ended no step for \(stuck.for.components.seconds) s"
    }

    private func models() -> JSONObject {
        var models = JSONObject()
        let (present, absent) = catalog.all
        for model in present { models.insert(JSONString(model.name), ModelHealth.json(of: model)) }
        for absence in absent where models[absence.name] == nil {
            models.insert(JSONString(absence.name), ModelHealth.json(of: absence))
        }
        return models
    }
}
