internal import Synchronization

/// Joins single requests to batches, for models that compute a batch in less time than its requests one by one.
///
/// ```swift
/// let batcher = try DynamicBatcher<[Float], Float>(maxBatchSize: 32, timeout: .milliseconds(50)) { batch in
///     model.scores(of: batch)
/// }
/// let score = try await batcher.add(features)      // from many tasks
/// ```
///
/// A batch is computed when it is full, when its oldest request has waited for `timeout`, or when it has a preferred size. A
/// task that is cancelled while its request waits takes it out of the queue. Language models need none of this: `Engine`
/// changes its batch at every step.
public final class DynamicBatcher<Input: Sendable, Output: Sendable>: Sendable {
    /// One result per request, in their order; one that fails fails alone.
    public typealias Compute = @Sendable ([Input]) async throws -> [Result<Output, any Error>]

    private struct Waiter {
        let input: Input
        let continuation: CheckedContinuation<Output, any Error>
    }

    private struct State {
        var queue: BatchQueue
        var waiters: [UInt64: Waiter] = [:]
        /// Requests in batches that run or whose answers wait for earlier ones.
        var running: [UInt64: CheckedContinuation<Output, any Error>] = [:]
        var order = AnswerOrder<[(UInt64, Result<Output, any Error>)]>()
        var busy = 0
        var wakeUp: (time: ContinuousClock.Instant, task: Task<Void, Never>)?
        var statistics = BatchingStatistics()
    }

    public let policy: BatchingPolicy
    private let instances: Int
    private let rows: @Sendable (Input) -> Int
    private let compute: Compute
    private let state: Mutex<State>

    /// - Parameters:
    ///   - maxBatchSize: at least 1.
    ///   - timeout: how long the oldest request of a batch waits for others.
    ///   - compute: returns one output per input, in their order. One batch is computed at a time.
    /// - Throws: `BatchingError.invalidPolicy`
    public convenience init(
        maxBatchSize: Int, timeout: Duration, compute: @escaping @Sendable ([Input]) async throws -> [Output]
    ) throws(BatchingError) {
        let policy = BatchingPolicy(maxBatchSize: maxBatchSize, maxQueueDelay: timeout)
        try self.init(policy: policy) { batch in try await compute(batch).map { .success($0) } }
    }

    /// - Parameters:
    ///   - instances: batches that are computed at the same time.
    ///   - rows: rows of a request, counted against the policy's sizes.
    ///   - compute: see `Compute`. What it throws is the answer to every request of the batch.
    /// - Throws: `BatchingError.invalidPolicy`
    public init(
        policy: BatchingPolicy, instances: Int = 1, rows: @escaping @Sendable (Input) -> Int = { _ in 1 },
        compute: @escaping Compute
    ) throws(BatchingError) {
        guard instances >= 1 else {
            throw .invalidPolicy(field: "instances", expected: "at least 1", found: "\(instances)")
        }
        state = Mutex(State(queue: try BatchQueue(policy: policy)))
        self.policy = policy
        self.instances = instances
        self.rows = rows
        self.compute = compute
    }

    /// Waits until a batch with this request was computed.
    /// - Parameters:
    ///   - priority: 1...`priorityLevels`; `nil`: the default.
    ///   - timeout: how long the request may wait, where the policy allows requests to say so.
    /// - Throws: `BatchingError`, what `compute` threw, or `CancellationError`
    public func add(_ request: Input, priority: Int? = nil, timeout: Duration? = nil) async throws -> Output {
        let rows = rows(request)
        let claim = Mutex<Claim>(.pending)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(request, rows, priority, timeout, continuation, claim)
            }
        } onCancel: {
            cancel(claim)
        }
    }

    public var statistics: BatchingStatistics { state.withLock { $0.statistics } }

    /// Requests that wait for a batch.
    public var waitingRequests: Int { state.withLock { $0.queue.count } }

    /// How a cancellation finds its request, which may not have been queued yet.
    private enum Claim: Sendable {
        case pending
        case queued(UInt64)
        case cancelled
    }

    private func enqueue(
        _ request: Input, _ rows: Int, _ priority: Int?, _ timeout: Duration?,
        _ continuation: CheckedContinuation<Output, any Error>, _ claim: borrowing Mutex<Claim>
    ) {
        let failure: (any Error)? = claim.withLock { claim in
            if case .cancelled = claim { return CancellationError() }
            do {
                claim = .queued(
                    try state.withLock { state throws(BatchingError) in
                        let id = try state.queue.add(
                            rows: rows, priority: priority, timeout: timeout, now: ContinuousClock.now)
                        state.waiters[id] = Waiter(input: request, continuation: continuation)
                        return id
                    })
                return nil
            } catch {
                state.withLock { $0.statistics.rejectedRequests += 1 }
                return error
            }
        }
        if let failure { continuation.resume(throwing: failure) } else { turn() }
    }

    private func cancel(_ claim: borrowing Mutex<Claim>) {
        let id: UInt64? = claim.withLock { claim in
            defer { claim = .cancelled }
            if case .queued(let id) = claim { return id }
            return nil
        }
        guard let id else { return }
        let continuation = state.withLock { state in
            if state.queue.remove(id) { return state.waiters.removeValue(forKey: id)?.continuation }
            // It is being computed; its result will find nobody.
            return state.running.removeValue(forKey: id)
        }
        continuation?.resume(throwing: CancellationError())
    }

    /// Starts every batch that can start, and arranges to be called when the next one may.
    private func turn() {
        var isDone = false
        while !isDone {
            let now = ContinuousClock.now
            var late: [(CheckedContinuation<Output, any Error>, Duration)] = []
            var batch: (number: UInt64, ids: [UInt64], inputs: [Input])?
            state.withLock { state in
                for entry in state.queue.expire(now: now) {
                    state.statistics.rejectedRequests += 1
                    guard let waiter = state.waiters.removeValue(forKey: entry.id) else { continue }
                    late.append((waiter.continuation, now - entry.arrival))
                }
                batch = start(&state, now)
            }
            for (continuation, waited) in late { continuation.resume(throwing: BatchingError.timedOut(after: waited)) }
            guard let batch else {
                isDone = true
                continue
            }
            Task { await self.run(batch.number, batch.ids, batch.inputs) }
        }
    }

    private func start(
        _ state: inout State, _ now: ContinuousClock.Instant
    ) -> (number: UInt64, ids: [UInt64], inputs: [Input])? {
        guard state.busy < instances else {
            if let deadline = state.queue.firstDeadline { wake(at: deadline, &state) }
            return nil
        }
        switch state.queue.next(now: now) {
        case .idle: return nil
        case .wait(let time):
            wake(at: time, &state)
            return nil
        case .batch(let entries):
            var ids: [UInt64] = []
            var inputs: [Input] = []
            for entry in entries {
                guard let waiter = state.waiters.removeValue(forKey: entry.id) else { continue }
                ids.append(entry.id)
                inputs.append(waiter.input)
                state.running[entry.id] = waiter.continuation
                state.statistics.queueTime += now - entry.arrival
            }
            state.busy += 1
            state.statistics.record(rows: entries.reduce(0) { $0 + $1.rows }, requests: ids.count)
            return (state.order.open(), ids, inputs)
        }
    }

    private func wake(at time: ContinuousClock.Instant, _ state: inout State) {
        if let wakeUp = state.wakeUp, wakeUp.time <= time, wakeUp.time > ContinuousClock.now { return }
        state.wakeUp?.task.cancel()
        let task = Task { [weak self] in
            guard (try? await Task.sleep(until: time, clock: .continuous)) != nil else { return }
            self?.woke(at: time)
        }
        state.wakeUp = (time, task)
    }

    private func woke(at time: ContinuousClock.Instant) {
        state.withLock { state in
            if state.wakeUp?.time == time { state.wakeUp = nil }
        }
        turn()
    }

    @concurrent private func run(_ number: UInt64, _ ids: [UInt64], _ inputs: [Input]) async {
        var results: [Result<Output, any Error>]
        do {
            results = try await compute(inputs)
            if results.count != inputs.count {
                throw BatchingError.wrongResultCount(expected: inputs.count, found: results.count)
            }
        } catch {
            results = inputs.map { _ in .failure(error) }
        }
        let answers = Array(zip(ids, results))
        let ready = state.withLock { state in
            state.busy -= 1
            let batches = policy.preservesOrder ? state.order.close(number, answers) : [answers]
            return batches.joined().compactMap { id, result in
                state.running.removeValue(forKey: id).map { ($0, result) }
            }
        }
        for (continuation, result) in ready { continuation.resume(with: result) }
        turn()
    }
}
