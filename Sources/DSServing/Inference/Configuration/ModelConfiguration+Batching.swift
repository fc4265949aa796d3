import DSEngine
import DSSupport

extension ModelConfiguration {
    /// Triton's `dynamic_batching` as a policy.
    static func batching(
        _ value: JSONValue, maxBatchSize: Int, _ source: String
    ) throws(InferenceError) -> BatchingPolicy {
        guard maxBatchSize > 0 else {
            throw .invalid(
                "\(source): dynamic_batching: expected a max_batch_size of at least 1, found \(maxBatchSize)")
        }
        var policy = BatchingPolicy(
            maxBatchSize: maxBatchSize, maxQueueDelay: microseconds(value["max_queue_delay_microseconds"]) ?? .zero)
        policy.preferredBatchSizes = value["preferred_batch_size"]?.arrayValue?.compactMap(\.intValue) ?? []
        policy.preservesOrder = value["preserve_ordering"]?.boolValue ?? false
        policy.priorityLevels = value["priority_levels"]?.intValue ?? 0
        policy.defaultPriority = value["default_priority_level"]?.intValue ?? 0
        if let rules = value["default_queue_policy"] { policy.queuePolicy = queuePolicy(rules) }
        for member in value["priority_queue_policy"]?.objectValue?.members ?? [] {
            guard let level = Int(member.key.string) else {
                throw .invalid(
                    "\(source): priority_queue_policy: expected priorities as keys, found '\(member.key.string)'")
            }
            policy.queuePolicies[level] = queuePolicy(member.value)
        }
        do {
            try policy.validate()
        } catch {
            throw .invalid("\(source): dynamic_batching: \(error)")
        }
        return policy
    }

    private static func queuePolicy(_ value: JSONValue) -> BatchingPolicy.QueuePolicy {
        var policy = BatchingPolicy.QueuePolicy()
        policy.timeoutAction = value["timeout_action"]?.stringValue == "DELAY" ? .delay : .reject
        policy.defaultTimeout = microseconds(value["default_timeout_microseconds"])
        policy.allowsTimeoutOverride = value["allow_timeout_override"]?.boolValue ?? false
        policy.maxQueueSize = value["max_queue_size"]?.intValue.flatMap { $0 > 0 ? $0 : nil }
        return policy
    }

    /// 0 and absent mean: none.
    private static func microseconds(_ value: JSONValue?) -> Duration? {
        guard let count = value?.intValue, count > 0 else { return nil }
        return .microseconds(count)
    }
}
