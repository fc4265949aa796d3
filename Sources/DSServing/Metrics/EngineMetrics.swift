import DSEngine
import DSObservability

/// The metrics of the engines, under the names, labels and buckets that vLLM's have, so that dashboards, routers and autoscalers
/// made for them read ours.
struct EngineMetrics {
    let model: ServedModel
    let statistics: EngineStatistics
    let telemetry: EngineTelemetry
    /// On the clock of the telemetry's windows.
    let now: Double
    let totals: ServingMetrics.ModelTotals
    let labels: MetricLabels

    init(_ model: ServedModel, _ metrics: ServingMetrics) {
        self.model = model
        statistics = model.generator.engine.statistics()
        (telemetry, now) = model.generator.engine.telemetry()
        totals = metrics.totals(of: model.name)
        labels = ["model_name": model.name, "engine": "0"]
    }

    /// Requests that wait for a step. Those that wait in front of the loop while it computes a long step count, too.
    var waiting: Int { max(statistics.waitingRequests, statistics.queuedRequests) }

    func addAll(to page: inout MetricPage) {
        addLoad(to: &page)
        addCache(to: &page)
        addCounters(to: &page)
        addSpeculation(to: &page)
        addLatencies(to: &page)
        addSizes(to: &page)
        addOwn(to: &page)
        addMemory(to: &page)
        addCacheTiers(to: &page)
    }

    private func addLoad(to page: inout MetricPage) {
        page.gauge("vllm:num_requests_running", "Requests in the batch.", labels, statistics.runningRequests)
        page.gauge("vllm:num_requests_waiting", "Requests that wait to be computed.", labels, waiting)
        for (reason, count) in [("capacity", waiting), ("deferred", 0)] {
            page.gauge(
                "vllm:num_requests_waiting_by_reason", "Requests that wait to be computed, by reason.",
                labels.adding("reason", reason), count)
        }
        for state in ["awake", "weights_offloaded", "discard_all"] {
            page.gauge(
                "vllm:engine_sleep_state", "1 for the state that the engine is in.",
                labels.adding("sleep_state", state), state == "awake" ? 1 : 0)
        }
        page.gauge(
            "vllm:kv_cache_usage_perc", "Fraction of the key/value cache in use, 0 to 1.", labels, statistics.cacheUsage
        )
    }

    private func addCache(to page: inout MetricPage) {
        let configuration = model.generator.engine.configuration
        var info = labels
        for (name, value) in [
            ("block_size", String(statistics.blockSize)), ("num_gpu_blocks", String(statistics.totalBlocks)),
            ("num_cpu_blocks", "0"), ("cache_dtype", configuration.kvCacheType.rawValue),
        ] { info.append(name, value) }
        page.gauge("vllm:cache_config_info", "How the key/value cache is laid out; always 1.", info, 1)
        page.counter(
            "vllm:prefix_cache_queries", "Prompt tokens that were looked up in the prefix cache.", labels,
            statistics.prefixCacheQueries)
        page.counter(
            "vllm:prefix_cache_hits", "Prompt tokens that the prefix cache held.", labels, statistics.prefixCacheHits)
    }

    private func addCounters(to page: inout MetricPage) {
        page.counter(
            "vllm:num_preemptions", "Requests that gave up their blocks to others.", labels, statistics.preemptions)
        page.counter(
            "vllm:prompt_tokens", "Prompt tokens of requests that got a token.", labels, telemetry.totalPromptTokens)
        page.counter(
            "vllm:prompt_tokens_cached", "Those of them that a cache held.", labels, telemetry.totalCachedTokens)
        let computed = telemetry.totalPromptTokens - telemetry.totalCachedTokens
        for (source, count) in [
            ("local_compute", computed), ("local_cache_hit", telemetry.totalCachedTokens), ("external_kv_transfer", 0),
        ] {
            page.counter(
                "vllm:prompt_tokens_by_source", "Prompt tokens by where their keys and values came from.",
                labels.adding("source", source), count)
        }
        page.counter("vllm:generation_tokens", "Tokens generated.", labels, telemetry.totalOutputTokens)
        for outcome in RequestOutcome.allCases {
            page.counter(
                "vllm:request_success", "Requests that ended, by how they ended.",
                labels.adding("finished_reason", outcome.rawValue), Int(telemetry.count(of: outcome)))
        }
        for (refusal, reason) in [(Refusal.requests, "max_num_queued_reqs"), (.tokens, "max_num_queued_tokens")] {
            page.counter(
                "vllm:admission_rejections", "Requests that were refused before they waited, by reason.",
                ["model_name": model.name, "reason": reason], telemetry.refusals[refusal.rawValue])
        }
    }

    private func addSpeculation(to page: inout MetricPage) {
        page.counter(
            "vllm:spec_decode_num_drafts", "Steps of requests that verified guesses.", labels, statistics.drafts)
        page.counter(
            "vllm:spec_decode_num_draft_tokens", "Guessed tokens that were verified.", labels, statistics.draftTokens)
        page.counter(
            "vllm:spec_decode_num_accepted_tokens", "Guessed tokens that were right.", labels,
            statistics.acceptedDraftTokens)
        for (position, count) in statistics.acceptedDraftTokensByPosition.enumerated() {
            page.counter(
                "vllm:spec_decode_num_accepted_tokens_per_pos",
                "Guessed tokens that were right, by place in the guess.",
                labels.adding("position", String(position)), count)
        }
    }

    private func addLatencies(to page: inout MetricPage) {
        page.histogram(
            "vllm:time_to_first_token_seconds", "Time from submission to the first token in seconds.", labels,
            telemetry.firstToken)
        page.histogram(
            "vllm:inter_token_latency_seconds", "Time between steps that gave a request tokens in seconds.", labels,
            telemetry.betweenTokens)
        page.histogram(
            "vllm:request_time_per_output_token_seconds", "A request's time per token after the first in seconds.",
            labels,
            telemetry.perOutputToken)
        page.histogram(
            "vllm:e2e_request_latency_seconds", "Time from submission to the end in seconds.", labels,
            telemetry.endToEnd)
        page.histogram(
            "vllm:request_queue_time_seconds", "Time from submission to the first step in seconds.", labels,
            telemetry.queue)
        page.histogram(
            "vllm:request_inference_time_seconds", "Time from the first step to the last token in seconds.", labels,
            telemetry.inference)
        page.histogram(
            "vllm:request_prefill_time_seconds", "Time from the first step to the first token in seconds.", labels,
            telemetry.prefill)
        page.histogram(
            "vllm:request_decode_time_seconds", "Time from the first to the last token in seconds.", labels,
            telemetry.decode)
    }

    private func addSizes(to page: inout MetricPage) {
        page.histogram("vllm:request_prompt_tokens", "Tokens per prompt.", labels, telemetry.promptTokens)
        page.histogram("vllm:request_generation_tokens", "Tokens per answer.", labels, telemetry.outputTokens)
        page.histogram(
            "vllm:request_prefill_kv_computed_tokens", "Tokens per prompt that no cache held.", labels,
            telemetry.computedPromptTokens)
        page.histogram(
            "vllm:request_max_num_generation_tokens", "Tokens of the longest answer to a prompt.", labels,
            totals.longestAnswer)
        page.histogram(
            "vllm:request_params_n", "Answers per prompt that requests asked for.", labels, totals.answersPerPrompt)
        page.histogram(
            "vllm:request_params_max_tokens", "Tokens that requests allowed their answers.", labels, telemetry.maxTokens
        )
        page.histogram("vllm:request_num_preemptions", "Preemptions per request.", labels, telemetry.preemptions)
        page.histogram("vllm:iteration_tokens_total", "Rows per step.", labels, telemetry.iterationTokens)
    }
}
