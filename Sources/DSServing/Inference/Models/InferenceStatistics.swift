package import DSSupport
import Synchronization

/// Counts what a model's version did. Counters only grow.
package final class InferenceStatistics: Sendable {
    package struct Total: Sendable, Equatable {
        package private(set) var count = 0
        package private(set) var time = Duration.zero

        mutating func add(_ duration: Duration) {
            count += 1
            time += duration
        }

        package var nanoseconds: Int64 {
            time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000
        }
    }

    package struct Batch: Sendable, Equatable {
        package var input = Total()
        package var compute = Total()
        package var output = Total()
    }

    package struct Snapshot: Sendable, Equatable {
        /// Milliseconds since 1970; 0: never.
        package var lastInference: Int64 = 0
        /// Rows that were inferred, and batches in which.
        package var inferences = 0
        package var executions = 0
        package var success = Total()
        package var failure = Total()
        package var queue = Total()
        package var input = Total()
        package var compute = Total()
        package var output = Total()
        package var batches: [Int: Batch] = [:]
        /// Requests that are being answered.
        package var pending = 0
    }

    private let state = Mutex(Snapshot())

    package init() {}

    package var snapshot: Snapshot { state.withLock { $0 } }

    func began() { state.withLock { $0.pending += 1 } }

    func failed(after duration: Duration) {
        state.withLock { state in
            state.pending -= 1
            state.failure.add(duration)
        }
    }

    func succeeded(_ timings: InferenceTimings, after duration: Duration, at time: Int64) {
        state.withLock { state in
            state.pending -= 1
            state.lastInference = time
            state.inferences += timings.rows
            state.success.add(duration)
            state.queue.add(timings.queue)
            state.input.add(timings.input)
            state.compute.add(timings.compute)
            state.output.add(timings.output)
            guard let size = timings.executedBatch else { return }
            state.executions += 1
            state.batches[size, default: Batch()].input.add(timings.input)
            state.batches[size, default: Batch()].compute.add(timings.compute)
            state.batches[size, default: Batch()].output.add(timings.output)
        }
    }
}

extension InferenceStatistics.Snapshot {
    /// An entry of `model_stats`.
    package func json(name: String, version: Int) -> JSONValue {
        [
            "name": .text(name), "version": .text(String(version)), "last_inference": .integer(lastInference),
            "inference_count": .integer(Int64(inferences)), "execution_count": .integer(Int64(executions)),
            "inference_stats": [
                "success": success.json, "fail": failure.json, "queue": queue.json, "compute_input": input.json,
                "compute_infer": compute.json, "compute_output": output.json,
                "cache_hit": InferenceStatistics.Total().json, "cache_miss": InferenceStatistics.Total().json,
            ],
            "response_stats": [:],
            "batch_stats": .array(
                batches.sorted { $0.key < $1.key }.map { size, batch in
                    [
                        "batch_size": .integer(Int64(size)), "compute_input": batch.input.json,
                        "compute_infer": batch.compute.json, "compute_output": batch.output.json,
                    ]
                }),
            "memory_usage": [],
        ]
    }
}

extension InferenceStatistics.Total {
    fileprivate var json: JSONValue { ["count": .integer(Int64(count)), "ns": .integer(nanoseconds)] }
}
