package import DSKernels

/// How an engine uses the machine. The defaults suit one user at a terminal; a server raises the batch and cache sizes.
public struct EngineConfiguration: Sendable, Equatable {
    /// Rows that one step may compute over all requests: the chunk size of long prompts.
    public var maxBatchTokens = 512
    /// Requests that hold blocks at the same time.
    public var maxBatchSize = 32
    /// Tokens per block of the key/value cache.
    public var blockSize = 32
    /// Bytes for the key/value cache of all requests together. `nil`: enough for `maxBatchSize` requests of the model's
    /// whole context, or for 32,768 tokens if that is less.
    public var kvCacheBytes: Int?
    /// Element type of the key/value cache.
    public var kvCacheType: KVCacheType = .float32
    /// Threads that compute. `nil`: one per processor that this process may use.
    public var threads: Int?
    /// Which processors the threads are bound to.
    public var pinning = Pinning.none
    /// Reads weights that are not in memory before the first step, by several threads and in the file's order, if there is
    /// memory for all of them. Else the first steps wait for one piece after the other.
    public var pagesIn = true
    /// Passes that run over the model's graph, 0 (none) ... 3 (all). Level 3 copies weights into the layout that this
    /// processor multiplies fastest, if there is memory for it (quantised ones between the first steps); below, they stay as
    /// they are mapped.
    public var optimizeLevel = 3
    /// Makes all copies of weights before the first step, so that every step costs what later ones cost. For measurements.
    package var copiesWeightsFirst = false
    /// Where guesses at coming tokens come from. They change how fast tokens come, never which.
    public var speculation = Speculation.auto
    /// Guessed tokens that one request may have in a step, 1...16. Fewer are computed where they do not pay.
    public var maxDraftTokens = 4
    /// Computes as many guesses as there are, whether or not they were measured to pay. For measurements.
    public var draftsAlways = false
    /// Requests that may wait for their first step; one more is refused with `EngineError.queueFull`. `nil`: no limit.
    public var maximumQueuedRequests: Int?
    /// Tokens of prompts that may wait for their first step; a request that would make them more is refused with
    /// `EngineError.queueTokensExceeded`, unless nothing waits. `nil`: no limit.
    public var maximumQueuedTokens: Int?
    /// How long a request may wait for its first step; then it fails with `EngineError.queueTimeout`. `nil`: for ever.
    public var maximumQueueDelay: Duration?
    /// In which order waiting requests start, and who gives way when the cache is full.
    public var scheduling = SchedulingPolicy.arrival
    /// Prompts whose beginning was computed before are not computed again, as long as the cache holds it.
    public var prefixCaching = true
    /// Answers are kept like prompts, so that the next turn of a conversation computes only what is new. Its rows then come from
    /// the decode form, and differ by rounding from those of a request that found nothing.
    public var keepsAnswers = false
    /// Requests may ask for embeddings (`GenerationRequest.pooling`); each step then also leaves the final hidden states.
    public var computesEmbeddings = false
    /// How long a step may take while any request generates, with one of prompts alone before it: prompts get as many rows as fit, by what
    /// steps were measured to take, and at least one block where answers have not just waited for others.
    public var interTokenLatencyBound = InterTokenLatencyBound.none
    /// Events that a stream holds before its request pauses until the consumer catches up.
    public var streamCapacity = 256

    public init() {}

    package func validate() throws(EngineError) {
        let positive: [(String, Int?)] = [
            ("max_batch_tokens", maxBatchTokens), ("max_batch_size", maxBatchSize), ("block_size", blockSize),
            ("kv_cache_bytes", kvCacheBytes), ("threads", threads), ("max_queued_requests", maximumQueuedRequests),
            ("max_queued_tokens", maximumQueuedTokens),
        ]
        for (field, value) in positive {
            if let value, value < 1 {
                throw .invalidParameter(field: field, expected: "at least 1", found: "\(value)")
            }
        }
        guard maxBatchTokens >= maxBatchSize else {
            throw .invalidParameter(
                field: "max_batch_tokens", expected: "at least max_batch_size (\(maxBatchSize))",
                found: "\(maxBatchTokens)")
        }
        for (field, value) in [
            ("max_queue_delay", maximumQueueDelay), ("max_inter_token_latency", interTokenLatencyBound.fixedDuration),
        ] {
            if let value, value <= .zero {
                throw .invalidParameter(field: field, expected: "more than 0 seconds", found: "\(value)")
            }
        }
        guard (1...16).contains(maxDraftTokens) else {
            throw .invalidParameter(field: "max_draft_tokens", expected: "1...16", found: "\(maxDraftTokens)")
        }
        guard streamCapacity >= 4 else {
            throw .invalidParameter(field: "stream_capacity", expected: "at least 4", found: "\(streamCapacity)")
        }
        guard (0...3).contains(optimizeLevel) else {
            throw .invalidParameter(field: "optimize_level", expected: "0...3", found: "\(optimizeLevel)")
        }
    }
}

/// In which order requests start.
public enum SchedulingPolicy: String, Sendable, CaseIterable {
    /// First come, first served.
    case arrival = "fcfs"
    /// By `GenerationRequest.priority`, the lowest value first, then by arrival. A waiting request takes the place of running ones
    /// with a higher value.
    case priority
}

/// Which processors an engine's threads are bound to. Workers go through the memory nodes in order, to each as many as its
/// share of the usable processors. A thread that is not the engine's own is never bound.
public enum Pinning: String, Sendable, CaseIterable {
    /// The system moves threads as it likes.
    case none
    /// A processor for each thread.
    case processors
    /// The processors of one memory node (NUMA) for each thread.
    case nodes

    package var threadPinning: ThreadPinning {
        switch self {
        case .none: .none
        case .processors: .processors
        case .nodes: .nodes
        }
    }
}

/// How an engine guesses tokens, which a step then verifies beside known ones: it chooses for every row as it would have
/// without guesses, and keeps those that were right.
public enum Speculation: String, Sendable, CaseIterable {
    case off
    /// The model's own layer for it where it has one, and repetitions of the text.
    case auto
    /// The model's own layer alone (multi-token prediction); an error for models without one.
    case drafter = "mtp"
    /// Repetitions of the text alone.
    case lookup = "ngram"
}

/// Element types that a key/value cache can have.
public enum KVCacheType: String, Sendable, CaseIterable {
    case float32 = "f32"
    case float16 = "f16"
    case bfloat16 = "bf16"
    /// Signed bytes, one half-precision scale for 32: ggml's Q8_0. Heads must be a multiple of 32 wide.
    case q8_0
}
