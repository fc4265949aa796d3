/// What a `DynamicBatcher` did so far. Counters only grow.
public struct BatchingStatistics: Sendable, Equatable {
    /// Batches that were started.
    public var batches = 0
    /// Requests and rows in them.
    public var requests = 0
    public var rows = 0
    /// Requests that were refused or waited too long.
    public var rejectedRequests = 0
    /// Time that the requests in the batches had waited, together.
    public var queueTime = Duration.zero
    /// Batches by rows.
    public var batchSizes: [Int: Int] = [:]

    public init() {}

    /// Rows per batch.
    public var meanBatchSize: Double { batches == 0 ? 0 : Double(rows) / Double(batches) }

    mutating func record(rows: Int, requests: Int) {
        batches += 1
        self.requests += requests
        self.rows += rows
        batchSizes[rows, default: 0] += 1
    }
}
