import DSEngine
import DSSupport

/// A tensor model behind the queue that its configuration asks for.
package struct BatchedModel: InferenceModel {
    private struct Job: Sendable {
        let inputs: [WireTensor]
        let rows: Int
        let queued = ContinuousClock.now
    }

    private struct Answer: Sendable {
        let outputs: [WireTensor]
        let timings: InferenceTimings
    }

    private let model: any TensorModel
    private let batcher: DynamicBatcher<Job, Answer>

    package var configuration: ModelConfiguration { model.configuration }

    package init(_ model: any TensorModel) throws(InferenceError) {
        self.model = model
        let configuration = model.configuration
        // Without dynamic batching every request is a batch.
        let policy = configuration.batching ?? BatchingPolicy(maxBatchSize: 1)
        let joins = configuration.batching != nil
        do {
            batcher = try DynamicBatcher(
                policy: policy, instances: configuration.instances, rows: { joins ? $0.rows : 1 }
            ) { jobs in await Self.compute(jobs, model) }
        } catch {
            throw .invalid("model '\(configuration.name)': \(error)")
        }
    }

    @concurrent package func answer(
        _ request: InferenceRequest, _ send: @concurrent @Sendable (InferenceResponse) async throws -> Void
    ) async throws -> InferenceTimings {
        let rows = configuration.maxBatchSize > 0 ? request.inputs.first?.shape.first ?? 1 : 1
        let inputs = request.inputs + (try model.prepare(request.parameters, rows: rows))
        let priority = request.parameters["priority"]?.intValue
        let timeout = request.parameters["timeout"]?.intValue.map { Duration.microseconds($0) }
        let answer: Answer
        do {
            answer = try await batcher.add(
                Job(inputs: inputs, rows: rows),
                priority: configuration.batching == nil ? nil : priority, timeout: timeout)
        } catch let error as BatchingError {
            throw InferenceError(error)
        }
        try await send(InferenceResponse(outputs: answer.outputs))
        return answer.timings
    }

    /// Joins what can be joined; each group fails alone.
    private static func compute(_ jobs: [Job], _ model: any TensorModel) async -> [Result<Answer, any Error>] {
        var results = [Result<Answer, any Error>?](repeating: nil, count: jobs.count)
        for indices in Dictionary(grouping: jobs.indices, by: { TensorBatch.Signature(jobs[$0].inputs) }).values {
            do {
                let answers = try await run(indices.map { jobs[$0] }, model)
                for (index, answer) in zip(indices, answers) { results[index] = .success(answer) }
            } catch {
                for index in indices { results[index] = .failure(error) }
            }
        }
        return results.map { $0 ?? .failure(CancellationError()) }
    }

    private static func run(_ jobs: [Job], _ model: any TensorModel) async throws -> [Answer] {
        let begin = ContinuousClock.now
        let inputs = try TensorBatch.join(jobs.map(\.inputs))
        let joined = ContinuousClock.now
        let outputs = try await model.compute(inputs)
        let computed = ContinuousClock.now
        let parts = try TensorBatch.split(outputs, rows: jobs.map(\.rows))
        let end = ContinuousClock.now
        return zip(jobs, parts).enumerated().map { index, pair in
            var timings = InferenceTimings()
            timings.rows = pair.0.rows
            timings.queue = begin - pair.0.queued
            timings.input = joined - begin
            timings.compute = computed - joined
            timings.output = end - computed
            // One request of the batch reports it.
            timings.executedBatch = index == 0 ? jobs.reduce(0) { $0 + $1.rows } : nil
            return Answer(outputs: pair.1, timings: timings)
        }
    }
}

extension InferenceError {
    init(_ error: BatchingError) {
        let kind: Kind =
            switch error {
            case .queueFull: .unavailable
            case .timedOut: .deadlineExceeded
            case .tooLarge, .unknownPriority: .invalidArgument
            case .invalidPolicy, .wrongResultCount: .internalFailure
            }
        self.init(kind, error.description)
    }
}
