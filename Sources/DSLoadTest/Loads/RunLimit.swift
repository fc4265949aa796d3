/// When a run starts no more requests: after so many, or after so many seconds, whichever is first.
package struct RunLimit: Sendable {
    package let requests: Int?
    package let seconds: Double?

    package init(requests: Int?, seconds: Double?) {
        precondition(requests != nil || seconds != nil, "a run without limit never ends")
        self.requests = requests
        self.seconds = seconds
    }

    /// Whether the request of this number may start `time` seconds after the run began.
    package func allows(request: Int, at time: Double) -> Bool {
        request < requests ?? .max && time < seconds ?? .infinity
    }
}
