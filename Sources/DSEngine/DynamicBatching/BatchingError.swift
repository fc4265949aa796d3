/// Why a request did not get into a batch, or a batch has no answer for it.
public enum BatchingError: Error, Equatable, Sendable, CustomStringConvertible {
    case invalidPolicy(field: String, expected: String, found: String)
    /// As many requests as the policy allows are waiting already.
    case queueFull(limit: Int)
    /// The request waited longer than it may.
    case timedOut(after: Duration)
    /// The request alone has more rows than a batch may have.
    case tooLarge(rows: Int, limit: Int)
    case unknownPriority(Int, levels: Int)
    /// The function that computes a batch returned the wrong number of results.
    case wrongResultCount(expected: Int, found: Int)

    public var description: String {
        switch self {
        case .invalidPolicy(let field, let expected, let found):
            "batching policy '\(field)': expected \(expected), found \(found)"
        case .queueFull(let limit): "queue: expected at most \(limit) waiting requests, found the queue full"
        case .timedOut(let limit): "request: expected to leave the queue within \(limit), found it still waiting"
        case .tooLarge(let rows, let limit): "request: expected at most \(limit) rows, found \(rows)"
        case .unknownPriority(let priority, let levels):
            levels == 0
                ? "priority: expected none, for there are no priority levels, found \(priority)"
                : "priority: expected 1...\(levels), found \(priority)"
        case .wrongResultCount(let expected, let found):
            "batch: expected one result for each of \(expected) requests, found \(found)"
        }
    }
}
