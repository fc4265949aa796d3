import DSEngine
package import DSSupport
import Foundation

/// What both forms of the V2 protocol (HTTP and gRPC) do, without either.
package struct InferenceService: Sendable {
    package let repository: ModelRepository
    /// Memory that clients share with this server.
    package let sharedMemory = SharedMemoryRegions()
    private let sharing: PrefixCacheSharing
    private let state: ServerState

    package init(
        repository: ModelRepository, sharing: PrefixCacheSharing = .tenant, state: ServerState = ServerState(.serving)
    ) {
        self.repository = repository
        self.sharing = sharing
        self.state = state
    }

    /// Whether every model is loaded, and requests are taken.
    package var isReady: Bool { isServing && repository.isSettled }

    package func isReady(_ name: String, _ version: Int?) -> Bool { isServing && repository.isReady(name, version) }

    /// Not about to stop, nor stopping. Models that are ready answer while others still load.
    package var isServing: Bool { state.phase < .leaving }

    package static let serverName = "deepseek-server"
    package static let serverVersion = "2.73.0"
    /// By the names that Triton gives them.
    package static let extensions = [
        "classification", "sequence", "model_repository", "schedule_policy", "model_configuration",
        "system_shared_memory", "binary_tensor_data", "parameters", "statistics", "logging", "generate",
    ]

    package var metadata: JSONValue {
        [
            "name": .text(Self.serverName), "version": .text(Self.serverVersion),
            "extensions": .array(Self.extensions.map(JSONValue.text)),
        ]
    }

    /// A version as requests write it: empty means the highest that is ready.
    package static func version(_ text: String) throws(InferenceError) -> Int? {
        guard !text.isEmpty else { return nil }
        guard let version = Int(text), version >= 0 else {
            throw .invalid("model version: expected a number, found '\(text)'")
        }
        // The protocol's -1, and clients' 0, mean: any.
        return version == 0 ? nil : version
    }

    package func metadata(_ name: String, _ version: Int?) throws(InferenceError) -> JSONValue {
        let model = try repository.ready(name, version)
        let configuration = model.model.configuration
        let batched = configuration.maxBatchSize > 0
        func list(_ tensors: [TensorSpecification]) -> JSONValue {
            .array(
                tensors.map { tensor in
                    [
                        "name": .text(tensor.name), "datatype": .text(tensor.datatype.rawValue),
                        "shape": .array(tensor.shape(batched: batched).map { .integer(Int64($0)) }),
                    ]
                })
        }
        return [
            "name": .text(name),
            "versions": .array(repository.readyVersions(name).map { .text(String($0)) }),
            "platform": .text(configuration.platform.isEmpty ? configuration.backend : configuration.platform),
            "inputs": list(configuration.inputs), "outputs": list(configuration.outputs),
        ]
    }

    package func configuration(_ name: String, _ version: Int?) throws(InferenceError) -> JSONValue {
        try repository.ready(name, version).model.configuration.json
    }

    /// - Parameter name: `nil`: all models that are ready.
    package func statistics(_ name: String?, _ version: Int?) throws(InferenceError) -> JSONValue {
        let models: [ModelVersion]
        if let name {
            models =
                version == nil
                ? try repository.readyVersions(name).map { found throws(InferenceError) in
                    try repository.ready(name, found)
                } : [try repository.ready(name, version)]
            if models.isEmpty { _ = try repository.ready(name, nil) }
        } else {
            models = repository.readyModels
        }
        return [
            "model_stats": .array(models.map { $0.statistics.snapshot.json(name: $0.name, version: $0.version) })
        ]
    }

    /// Answers a request: `send` is called once per answer.
    /// - Parameters:
    ///   - tenant: whose key came with it; charged for the tokens of a language model.
    ///   - record: told what became of the answers of a language model.
    @concurrent package func infer(
        _ request: InferenceRequest, on model: ModelVersion, for tenant: Tenant?,
        record: RequestRecord = RequestRecord(),
        _ send: @concurrent @Sendable (InferenceResponse) async throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        model.statistics.began()
        do {
            try RequestCheck(model.model.configuration).check(request)
            var request = request
            request.cacheOwner = sharing.owner(tenant)
            request.accounts = AnswerAccounts(record, of: tenant)
            let timings = try await model.model.answer(request) { [request] response in
                try await send(try OutputSelection(request.outputs).apply(to: response, of: model.name))
            }
            model.statistics.succeeded(
                timings, after: ContinuousClock.now - start, at: Int64(Date().timeIntervalSince1970 * 1000))
        } catch {
            model.statistics.failed(after: ContinuousClock.now - start)
            throw error
        }
    }

    /// The only answer to a request.
    /// - Throws: an error if a decoupled model gives another number of answers.
    package func infer(
        _ request: InferenceRequest, on model: ModelVersion, for tenant: Tenant?,
        record: RequestRecord = RequestRecord()
    ) async throws -> InferenceResponse {
        let answers = Answers()
        try await infer(request, on: model, for: tenant, record: record) { response in
            try await answers.add(response, model: model.name)
        }
        return try await answers.only(model: model.name)
    }

    private actor Answers {
        private var first: InferenceResponse?

        func add(_ response: InferenceResponse, model: String) throws(InferenceError) {
            guard first == nil else {
                throw InferenceError(
                    .unsupported,
                    "model '\(model)': expected one answer, found more: use generate_stream or ModelStreamInfer")
            }
            first = response
        }

        func only(model: String) throws(InferenceError) -> InferenceResponse {
            guard let first else {
                throw InferenceError(.unsupported, "model '\(model)': expected one answer, found none")
            }
            return first
        }
    }
}
