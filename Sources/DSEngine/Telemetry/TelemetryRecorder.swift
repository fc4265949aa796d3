internal import DSSupport
internal import Synchronization

/// Where an engine's loop writes what its requests took, and others read it. One short critical section per event.
package final class TelemetryRecorder: Sendable {
    private let state: Mutex<EngineTelemetry>
    private let started = ContinuousClock.now

    package init(maximumContext: Int = 0) { state = Mutex(EngineTelemetry(maximumContext: maximumContext)) }

    /// Before the first request: token counts are told apart up to `maximumContext`.
    func begin(maximumContext: Int) { state.withLock { $0 = EngineTelemetry(maximumContext: maximumContext) } }

    package var snapshot: EngineTelemetry { state.withLock { $0 } }

    /// Seconds since the recorder was made: the origin of `EngineTelemetry`'s windows.
    package func seconds(at instant: ContinuousClock.Instant) -> Double { started.duration(to: instant) / .seconds(1) }

    func refused(_ reason: Refusal) { state.withLock { $0.refusals[reason.rawValue] += 1 } }

    func computed(seconds: Double) { state.withLock { $0.computeSeconds += seconds } }

    func constrained(_ work: ConstraintWork, step: Duration) {
        state.withLock {
            $0.constrainedSteps += 1
            $0.constrainedStepSeconds += step / .seconds(1)
            $0.masks += work.masks
            $0.constraintSeconds += work.time / .seconds(1)
        }
    }

    func stepped(seconds: Double, rows: Int, tokens: Int, at now: ContinuousClock.Instant) {
        let second = Int(self.seconds(at: now))
        state.withLock {
            $0.step.observe(seconds)
            $0.iterationTokens.observe(Double(rows))
            $0.totalOutputTokens += tokens
            $0.outputRate.add(tokens, at: second)
        }
    }

    func firstToken(after seconds: Double, usage: TokenUsage) {
        state.withLock {
            $0.firstToken.observe(seconds)
            $0.totalPromptTokens += usage.promptTokens
            $0.totalCachedTokens += usage.cachedPromptTokens
        }
    }

    func nextToken(after seconds: Double) { state.withLock { $0.betweenTokens.observe(seconds) } }

    func failed() { state.withLock { $0.count(.error) } }

    /// A request ended; one that its client gave up is counted and not measured.
    func ended(
        _ outcome: RequestOutcome, _ timings: RequestTimings, _ usage: TokenUsage, maxTokens: Int,
        at now: ContinuousClock.Instant
    ) {
        let end = seconds(at: now)
        state.withLock { state in
            state.count(outcome)
            guard outcome == .stop || outcome == .length else { return }
            if timings.firstToken == nil {
                state.totalPromptTokens += usage.promptTokens
                state.totalCachedTokens += usage.cachedPromptTokens
            }
            state.measure(timings, usage, maxTokens: maxTokens, at: end)
        }
    }
}

extension EngineTelemetry {
    /// - Parameter end: when the request ended, on the windows' clock.
    mutating func measure(_ timings: RequestTimings, _ usage: TokenUsage, maxTokens: Int, at end: Double) {
        func seconds(_ from: Duration?, _ to: Duration?) -> Double? {
            guard let from, let to else { return nil }
            return max(0, (to - from) / .seconds(1))
        }
        if let time = seconds(.zero, timings.finished) {
            endToEnd.observe(time)
            recent.add(time, at: end)
        }
        if let time = seconds(.zero, timings.scheduled) { queue.observe(time) }
        if let time = seconds(timings.scheduled, timings.lastToken ?? timings.finished) { inference.observe(time) }
        if let time = seconds(timings.scheduled, timings.firstToken ?? timings.finished) { prefill.observe(time) }
        if let time = seconds(timings.firstToken, timings.lastToken) {
            decode.observe(time)
            if usage.completionTokens > 1 { perOutputToken.observe(time / Double(usage.completionTokens - 1)) }
        }
        promptTokens.observe(Double(usage.promptTokens))
        outputTokens.observe(Double(usage.completionTokens))
        computedPromptTokens.observe(Double(usage.promptTokens - usage.cachedPromptTokens))
        self.maxTokens.observe(Double(maxTokens))
        preemptions.observe(Double(usage.preemptions))
    }
}
