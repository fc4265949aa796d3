/// Requests that end because of the time.
extension EngineLoop {
    /// When a request has to end if nothing else happens, and why; nil: never.
    func deadline(of request: ActiveRequest) -> (time: ContinuousClock.Instant, error: EngineError)? {
        let own = request.timeout.map {
            (
                time: request.submitted + $0,
                error: EngineError.deadlineExceeded(timeout: $0, completionTokens: request.tokenCount)
            )
        }
        guard let maximumQueueDelay, request.timings.scheduled == nil else { return own }
        let queue = (
            time: request.submitted + maximumQueueDelay, error: EngineError.queueTimeout(limit: maximumQueueDelay)
        )
        guard let own, own.time < queue.time else { return queue }
        return own
    }

    /// Ends the requests whose time is over; looks at the clock only where one has a limit.
    func endLateRequests() {
        guard let nextDeadline else { return }
        let now = clock.now
        guard now >= nextDeadline else { return }
        self.nextDeadline = nil
        for case let request? in active {
            guard let deadline = deadline(of: request) else { continue }
            guard now >= deadline.time else {
                self.nextDeadline = min(self.nextDeadline ?? deadline.time, deadline.time)
                continue
            }
            guard let (slot, _) = scheduler.cancel(request.id) else { continue }
            fail(request, deadline.error)
            active[slot.rawValue] = nil
        }
        publish()
    }
}
