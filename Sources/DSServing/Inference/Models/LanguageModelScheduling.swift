package import DSEngine

/// What a language model's configuration says about batches and queues, as the engine has it. What the engine cannot do is refused;
/// what changes nothing there is said in `notes`.
package struct LanguageModelScheduling: Sendable, Equatable {
    /// Requests that run at the same time; 0: as many as the server's options say.
    package private(set) var maxBatchSize = 0
    /// How long a request may wait for its first step.
    package private(set) var queueTimeout: Duration?
    /// Requests that may wait.
    package private(set) var maximumQueued: Int?
    package private(set) var priorities: PriorityLevels?
    /// One per field without an effect.
    package private(set) var notes: [String] = []

    private static let maximumBatchSize = 1 << 16

    package init(_ configuration: ModelConfiguration) throws(InferenceError) {
        let model = configuration.name
        guard configuration.maxBatchSize <= Self.maximumBatchSize else {
            throw Self.refusal(
                model, "max_batch_size", expected: "at most \(Self.maximumBatchSize)",
                found: "\(configuration.maxBatchSize)")
        }
        guard configuration.instances == 1 else {
            throw Self.refusal(
                model, "instance_group", expected: "1 instance, whose engine computes all requests together",
                found: "\(configuration.instances)")
        }
        maxBatchSize = configuration.maxBatchSize
        if let batching = configuration.batching { try read(batching, model) }
        if !configuration.parameters.isEmpty {
            let names = configuration.parameters.keys.sorted().joined(separator: ", ")
            notes.append("parameters (\(names)): expected none, because no language model here reads any")
        }
    }

    private mutating func read(_ batching: BatchingPolicy, _ model: String) throws(InferenceError) {
        let field = "dynamic_batching"
        guard !batching.preservesOrder else {
            throw Self.refusal(
                model, field + ".preserve_ordering", expected: "false: answers come when they are complete",
                found: "true")
        }
        if let level = batching.queuePolicies.keys.min() {
            throw Self.refusal(
                model, field + ".priority_queue_policy",
                expected: "none: default_queue_policy holds for all priorities", found: "one for priority \(level)")
        }
        let queue = batching.queuePolicy
        if queue.timeoutAction == .delay, queue.defaultTimeout != nil {
            throw Self.refusal(
                model, field + ".default_queue_policy.timeout_action", expected: "REJECT", found: "DELAY")
        }
        queueTimeout = queue.defaultTimeout
        maximumQueued = queue.maxQueueSize
        if batching.priorityLevels > 0 {
            priorities = PriorityLevels(count: batching.priorityLevels, standard: batching.defaultPriority)
        }
        if !batching.preferredBatchSizes.isEmpty {
            let sizes = batching.preferredBatchSizes.map(String.init).joined(separator: ", ")
            notes.append("\(field).preferred_batch_size (\(sizes)): steps have as many requests as there are")
        }
        if batching.maxQueueDelay > .zero {
            notes.append(
                "\(field).max_queue_delay_microseconds (\(batching.maxQueueDelay)): no request waits for others, each joins at the next step"
            )
        }
    }

    /// The configuration's limits go before those of the server's options.
    package func apply(to engine: inout EngineConfiguration) {
        if maxBatchSize > 0 {
            engine.maxBatchSize = maxBatchSize
            // A step has room for a token of each.
            engine.maxBatchTokens = max(engine.maxBatchTokens, maxBatchSize)
        }
        if let queueTimeout { engine.maximumQueueDelay = queueTimeout }
        if let maximumQueued { engine.maximumQueuedRequests = maximumQueued }
        if priorities != nil { engine.scheduling = .priority }
    }

    private static func refusal(
        _ model: String, _ field: String, expected: String, found: String
    ) -> InferenceError {
        InferenceError(.unsupported, "model '\(model)': \(field): expected \(expected); found \(found)")
    }
}
