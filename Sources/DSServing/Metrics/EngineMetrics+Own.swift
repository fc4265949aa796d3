import DSEngine
import DSObservability

/// Metrics that have no counterpart elsewhere.
extension EngineMetrics {
    private static let quantiles = [0.5, 0.9, 0.95, 0.99]

    func addOwn(to page: inout MetricPage) {
        let labels: MetricLabels = ["model_name": model.name]
        let recent = telemetry.recent.recent(at: now)
        page.summary(
            "deepseek_latency", "Time from submission to the end in seconds; quantiles of the last minute.", labels,
            quantiles: Self.quantiles.map { ($0, RecentLatencies.quantile($0, of: recent) ?? .nan) },
            sum: telemetry.recent.sum, count: telemetry.recent.count)
        page.gauge(
            "deepseek_throughput", "Tokens generated per second in the last \(RateWindow.seconds) seconds.", labels,
            telemetry.outputRate.rate(at: Int(now)))
        page.gauge("deepseek_queue_length", "Requests that wait to be computed.", labels, waiting)
        page.gauge(
            "deepseek_pending_requests", "Requests that have not ended: in the batch or waiting.", labels,
            statistics.runningRequests + waiting)
        page.gauge(
            "deepseek_paused_requests", "Requests that wait for a slow client to read.", labels,
            statistics.pausedRequests)
        page.counter(
            "deepseek_expired_requests",
            "Requests that were not done in time, or waited too long for their first step.",
            labels, statistics.expiredRequests)
        page.histogram("deepseek_step_duration_seconds", "Time of a step in seconds.", labels, telemetry.step)
        page.counter(
            "deepseek_compute_seconds", "Seconds of computation, as they are shared out to requests.", labels,
            telemetry.computeSeconds)
        page.counter(
            "deepseek_constraint_seconds", "Seconds for token masks and grammars, in steps without prompts.", labels,
            telemetry.constraintSeconds)
        page.counter(
            "deepseek_constrained_step_seconds", "Seconds of those of these steps that had a mask.", labels,
            telemetry.constrainedStepSeconds)
        page.counter("deepseek_constraint_masks", "Token masks in these steps.", labels, telemetry.masks)
        if let last = statistics.lastStep {
            page.gauge(
                "deepseek_last_step_age_seconds", "Time since the last step ended in seconds.", labels,
                last.duration(to: .now) / .seconds(1))
        }
        page.gauge(
            "deepseek_speculation_acceptance_ratio",
            "Fraction of the guessed tokens that were right; 0 before the first.",
            labels,
            statistics.draftTokens == 0 ? 0 : Double(statistics.acceptedDraftTokens) / Double(statistics.draftTokens))
        // The series of requests without a key is there from the beginning, so that its first increase is seen.
        for (tenant, cost) in totals.costs.merging(["": 0], uniquingKeysWith: { known, _ in known }).sorted(by: {
            $0.key < $1.key
        }) {
            page.counter(
                "deepseek_request_cost", "What requests cost by the configured prices, in the operator's currency.",
                labels.adding("tenant", tenant), cost)
        }
    }

    func addMemory(to page: inout MetricPage) {
        let labels: MetricLabels = ["model_name": model.name]
        let memory = statistics.memory
        page.gauge("deepseek_weights_mapped_bytes", "The model's files, which are mapped.", labels, memory.weightBytes)
        page.gauge(
            "deepseek_weights_copied_bytes", "Copies of weights in a faster layout.", labels,
            statistics.copiedWeightBytes)
        page.gauge(
            "deepseek_weights_to_copy_bytes", "Those of them that are or will be made.", labels,
            statistics.weightBytesToCopy)
        page.gauge("deepseek_kv_cache_bytes", "Memory for keys and values of all requests.", labels, memory.cacheBytes)
        page.gauge(
            "deepseek_arena_bytes", "Memory for a step's intermediate results.", labels, memory.arenaBytes)
        page.counter("deepseek_plans_built", "Plans made for steps of a new size.", labels, memory.plansBuilt)
        page.counter("deepseek_plan_hits", "Steps that found their plan.", labels, memory.planHits)
    }
}
