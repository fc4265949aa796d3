import DSEngine
import DSObservability

/// The prefix cache and what is below it: memory first, then the tiers of the store, by name.
extension EngineMetrics {
    func addCacheTiers(to page: inout MetricPage) {
        let labels: MetricLabels = ["model_name": model.name]
        page.gauge(
            "deepseek_cached_blocks", "Blocks that hold what a later request may need.", labels, statistics.cachedBlocks
        )
        page.counter(
            "deepseek_prefix_cache_evictions", "Cached blocks that made room for others.", labels,
            statistics.prefixCacheEvictions)
        for (result, count) in [
            ("hit", statistics.blockLoadHits), ("failure", statistics.blockLoadFailures),
            ("miss", statistics.blockLoads - statistics.blockLoadHits - statistics.blockLoadFailures),
        ] {
            page.counter(
                "deepseek_cache_block_loads", "Blocks that were asked for below memory, by result.",
                labels.adding("result", result), max(0, count))
        }
        page.counter(
            "deepseek_cache_block_stores", "Blocks that were handed below memory.", labels, statistics.blockStores)
        for tier in statistics.blockStoreTiers { add(tier, labels.adding("tier", tier.name), to: &page) }
    }

    private func add(_ tier: BlockStoreStatistics, _ labels: MetricLabels, to page: inout MetricPage) {
        page.counter("deepseek_cache_tier_queries", "Blocks that a tier was asked for.", labels, tier.queries)
        page.counter("deepseek_cache_tier_hits", "Blocks that it had.", labels, tier.hits)
        page.counter("deepseek_cache_tier_failures", "Blocks that it could not read or write.", labels, tier.failures)
        page.counter("deepseek_cache_tier_stored_blocks", "Blocks that it wrote.", labels, tier.stored)
        page.counter(
            "deepseek_cache_tier_dropped_blocks", "Blocks that it declined for lack of room or time.", labels,
            tier.dropped)
        page.counter("deepseek_cache_tier_evictions", "Blocks that it removed to make room.", labels, tier.evictions)
        page.counter("deepseek_cache_tier_read_bytes", "Bytes that it read.", labels, tier.readBytes)
        page.counter("deepseek_cache_tier_written_bytes", "Bytes that it wrote.", labels, tier.writtenBytes)
        page.gauge("deepseek_cache_tier_blocks", "Blocks that it holds.", labels, tier.blocks)
        page.gauge("deepseek_cache_tier_used_bytes", "Bytes that it holds.", labels, tier.usedBytes)
        if let limit = tier.byteLimit {
            page.gauge("deepseek_cache_tier_limit_bytes", "Bytes that it may hold.", labels, limit)
        }
    }
}
