import DSSupport

/// What answers requests of the V2 protocol: one loaded version of a model.
package protocol InferenceModel: Sendable {
    var configuration: ModelConfiguration { get }

    /// Answers one checked request by calling `send` once, or, if the model is decoupled, any number of times.
    @concurrent func answer(
        _ request: InferenceRequest, _ send: @concurrent @Sendable (InferenceResponse) async throws -> Void
    ) async throws -> InferenceTimings
}

/// Where the time of a request, or of a batch, went.
package struct InferenceTimings: Sendable, Equatable {
    /// Rows of the request.
    package var rows = 1
    package var queue = Duration.zero
    package var input = Duration.zero
    package var compute = Duration.zero
    package var output = Duration.zero
    /// Rows of the batch, for the request that reports it; `nil` for the others of the batch.
    package var executedBatch: Int?

    package init() {}
}
