/// What a request used so far. Its prompt tokens are those that were computed, or found in a cache.
struct RequestAccount: Sendable {
    var timings = RequestTimings()
    var usage = TokenUsage()
}

extension ActiveRequest {
    var account: RequestAccount { RequestAccount(timings: timings, usage: usage) }
}
