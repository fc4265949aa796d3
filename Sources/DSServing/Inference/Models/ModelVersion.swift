import DSEngine

/// One loaded version of a model.
package final class ModelVersion: Sendable {
    package let name: String
    package let version: Int
    package let model: any InferenceModel
    /// The language model behind it, for the other APIs.
    package let served: ServedModel?
    package let statistics = InferenceStatistics()

    package init(name: String, version: Int, model: any InferenceModel, served: ServedModel?) {
        self.name = name
        self.version = version
        self.model = model
        self.served = served
    }

    /// Nothing is being answered, by whatever API.
    var isIdle: Bool {
        guard statistics.snapshot.pending == 0, served?.uses.count ?? 0 == 0 else { return false }
        guard let engine = served?.generator.engine.statistics() else { return true }
        return engine.runningRequests + engine.waitingRequests == 0
    }
}

extension ModelVersion {
    /// Orders by the last step of the engine; those that were never used come first.
    static func isUsedBefore(_ left: ModelVersion, _ right: ModelVersion) -> Bool {
        guard let last = left.lastStep else { return right.lastStep != nil }
        return right.lastStep.map { last < $0 } ?? false
    }

    private var lastStep: ContinuousClock.Instant? { served?.generator.engine.statistics().lastStep }
}
