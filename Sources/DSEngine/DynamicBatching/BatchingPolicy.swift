/// When waiting requests become a batch, and which of them wait in vain. The meaning of each field is that of the field of the
/// same purpose in Triton's `dynamic_batching`.
public struct BatchingPolicy: Sendable, Equatable {
    /// The largest batch, in rows. A request has one row unless the batcher was told otherwise.
    public var maxBatchSize: Int
    /// How long the oldest request may wait for others. Zero: whatever waits is a batch as soon as the model is free.
    public var maxQueueDelay: Duration
    /// Sizes, in rows, that the model computes best: a batch of such a size is sent at once, the largest first.
    public var preferredBatchSizes: [Int]
    /// Answers are given in the order of the requests, also where several batches are computed at once.
    public var preservesOrder: Bool
    /// Priorities are 1...priorityLevels, 1 the most urgent. 0: there are none.
    public var priorityLevels: Int
    /// The priority of requests that name none; required where there are priorities.
    public var defaultPriority: Int
    public var queuePolicy: QueuePolicy
    /// Policies of single priorities that differ from `queuePolicy`.
    public var queuePolicies: [Int: QueuePolicy]

    /// What happens to requests of one priority while they wait.
    public struct QueuePolicy: Sendable, Equatable {
        public enum TimeoutAction: Sendable {
            /// The request fails with `BatchingError.timedOut`.
            case reject
            /// The request waits on, behind all others of its priority.
            case delay
        }

        public var timeoutAction = TimeoutAction.reject
        /// How long a request may wait. `nil`: for ever.
        public var defaultTimeout: Duration?
        /// A request may name a shorter timeout of its own.
        public var allowsTimeoutOverride = false
        /// Requests that may wait; one more fails with `BatchingError.queueFull`. `nil`: no limit.
        public var maxQueueSize: Int?

        public init() {}
    }

    public init(maxBatchSize: Int, maxQueueDelay: Duration = .zero) {
        self.maxBatchSize = maxBatchSize
        self.maxQueueDelay = maxQueueDelay
        preferredBatchSizes = []
        preservesOrder = false
        priorityLevels = 0
        defaultPriority = 0
        queuePolicy = QueuePolicy()
        queuePolicies = [:]
    }

    /// Throws `BatchingError.invalidPolicy` for the first field that makes no sense.
    public func validate() throws(BatchingError) {
        try Self.require(maxBatchSize >= 1, "max_batch_size", "at least 1", "\(maxBatchSize)")
        try Self.require(maxQueueDelay >= .zero, "max_queue_delay", "at least 0", "\(maxQueueDelay)")
        for size in preferredBatchSizes {
            try Self.require(
                (1...maxBatchSize).contains(size), "preferred_batch_size", "1...\(maxBatchSize)", "\(size)")
        }
        try Self.require(priorityLevels >= 0, "priority_levels", "at least 0", "\(priorityLevels)")
        if priorityLevels > 0 {
            try Self.require(
                (1...priorityLevels).contains(defaultPriority), "default_priority_level", "1...\(priorityLevels)",
                "\(defaultPriority)")
        }
        for level in queuePolicies.keys.sorted() {
            try Self.require(
                level >= 1 && level <= priorityLevels, "priority_queue_policy",
                priorityLevels == 0 ? "no entries without priority_levels" : "keys in 1...\(priorityLevels)",
                "\(level)")
        }
        for policy in [queuePolicy] + queuePolicies.values {
            if let size = policy.maxQueueSize {
                try Self.require(size >= 1, "max_queue_size", "at least 1", "\(size)")
            }
            if let timeout = policy.defaultTimeout {
                try Self.require(timeout > .zero, "default_timeout", "above 0", "\(timeout)")
            }
        }
    }

    func queuePolicy(of priority: Int) -> QueuePolicy { queuePolicies[priority] ?? queuePolicy }

    private static func require(
        _ condition: Bool, _ field: String, _ expected: String, _ found: String
    ) throws(BatchingError) {
        guard condition else { throw .invalidPolicy(field: field, expected: expected, found: found) }
    }
}
