/// Which requests share computed prompts. Who shares them could tell from the time to the first token what others asked.
package enum PrefixCacheSharing: String, Sendable, CaseIterable {
    /// Those of one tenant; those without a key are one, too.
    case tenant
    case all

    /// See `GenerationRequest.cacheOwner`.
    package func owner(_ tenant: Tenant?) -> String? { self == .tenant ? tenant?.name : nil }
}
