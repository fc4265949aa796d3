import ArgumentParser
import DSEngine

/// How a server's requests share the machine.
struct SchedulingOptions: ParsableArguments {
    @Option(help: "Rows that one step may compute. (default: 512, or --max-batch-size if that is more)")
    var maxBatchTokens: Int?
    @Option(
        name: [.customLong("max-batch-size"), .customLong("batch-size")], help: "Requests that run at the same time.")
    var maxBatchSize = 32
    @Option(
        help:
            "Milliseconds that a step may take while any answer is being written: prompts get as many rows beside it as fit, at least one block. 0: as many as --max-batch-tokens. (default: 200, or four times what the answers take alone)"
    )
    var maxInterTokenLatencyMs: Int?
    @Option(help: "Order of waiting requests: fcfs (arrival) or priority (the field `priority`, lowest first).")
    var schedulingPolicy = SchedulingPolicyOption.fcfs
    @Option(help: "Requests that may wait; one more is refused with 503.")
    var maxQueuedRequests = 1024
    @Option(
        name: [.customLong("max-queued-tokens"), .customLong("max-num-queued-tokens")],
        help: "Prompt tokens that may wait, all requests together; more are refused with 503. (default: no limit)")
    var maxQueuedTokens: Int?
    @Option(help: "Milliseconds that a request may wait for its first step, then it gets 503. (default: no limit)")
    var maxQueueDelayMs: Int?
    @Flag(
        name: [.customLong("prefix-cache"), .customLong("enable-prefix-caching")], inversion: .prefixedNo,
        help: "Keep computed prompts for later requests that begin the same way.")
    var prefixCache = true
    @Flag(
        inversion: .prefixedNo,
        help:
            "Keep answers, too, so that the next turn of a conversation computes only what is new. By rounding, results may then depend on what was found; without, on the request alone."
    )
    var prefixCacheAnswers = true

    func validate() throws {
        try Limits.check(maxBatchTokens, 1...Limits.tokens, "--max-batch-tokens")
        try Limits.check(maxBatchSize, 1...Limits.sequences, "--max-batch-size")
        try Limits.check(maxInterTokenLatencyMs, 0...Limits.milliseconds, "--max-inter-token-latency-ms")
        try Limits.check(maxQueuedRequests, 1...Limits.tokens, "--max-queued-requests")
        try Limits.check(maxQueuedTokens, 1...Limits.tokens, "--max-queued-tokens")
        try Limits.check(maxQueueDelayMs, 1...Limits.milliseconds, "--max-queue-delay-ms")
    }

    func apply(to configuration: inout EngineConfiguration) throws {
        if let maxBatchTokens, maxBatchTokens < maxBatchSize {
            throw ValidationError(
                "--max-batch-tokens: expected at least --max-batch-size (\(maxBatchSize)), found \(maxBatchTokens)")
        }
        configuration.maxBatchTokens = maxBatchTokens ?? max(512, maxBatchSize)
        configuration.maxBatchSize = maxBatchSize
        configuration.interTokenLatencyBound =
            switch maxInterTokenLatencyMs {
            case nil: .automatic
            case 0: .none
            case let milliseconds?: .fixed(.milliseconds(milliseconds))
            }
        configuration.scheduling = schedulingPolicy == .priority ? .priority : .arrival
        configuration.maximumQueuedRequests = maxQueuedRequests
        configuration.maximumQueuedTokens = maxQueuedTokens
        configuration.maximumQueueDelay = maxQueueDelayMs.map { .milliseconds($0) }
        configuration.prefixCaching = prefixCache
        configuration.keepsAnswers = prefixCacheAnswers
    }
}

/// Orders of waiting requests, as options name them.
enum SchedulingPolicyOption: String, ExpressibleByArgument, CaseIterable {
    case fcfs, priority
}
