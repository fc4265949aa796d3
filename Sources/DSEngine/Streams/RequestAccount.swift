/// What a running request used so far.
struct RequestAccount: Sendable {
    var timings = RequestTimings()
    var usage = TokenUsage()
}

extension ActiveRequest {
    var account: RequestAccount { RequestAccount(timings: timings, usage: usage) }
}
