/// What an engine keeps in memory, in bytes, and how often it could use a plan again.
public struct EngineMemory: Sendable, Equatable {
    /// The model's files, which are mapped; pages that nobody reads need no memory.
    public var weightBytes = 0
    /// Keys and values of all requests.
    public var cacheBytes = 0
    /// Intermediate results of a step.
    public var arenaBytes = 0
    /// Plans that were made for steps of a new size, and steps that found theirs.
    public var plansBuilt = 0
    public var planHits = 0

    public init() {}
}
