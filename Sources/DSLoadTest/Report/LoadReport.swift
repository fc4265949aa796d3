package import DSSupport

/// All runs of a test against one server.
package struct LoadReport: Sendable {
    /// What the test was, as the report shows it: names and values in order.
    package struct Setting: Sendable, Equatable {
        package let name: String
        package let value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    package let version: String
    package let label: String
    package let target: String
    package let model: String
    package let settings: [Setting]
    package let serviceLevel: ServiceLevel?
    package let runs: [RunResult]

    package init(
        version: String, label: String, target: String, model: String, settings: [Setting], serviceLevel: ServiceLevel?,
        runs: [RunResult]
    ) {
        self.version = version
        self.label = label
        self.target = target
        self.model = model
        self.settings = settings
        self.serviceLevel = serviceLevel
        self.runs = runs
    }

    package var hasFailures: Bool { runs.contains { !$0.failures.isEmpty } }

    /// - Parameter isDetailed: with every request's own numbers.
    package func json(isDetailed: Bool) -> JSONValue {
        [
            "tool": "deepseek loadtest", "version": .text(version), "label": .text(label), "url": .text(target),
            "model_id": .text(model),
            "settings": .object(JSONObject(settings.map { (JSONString($0.name), $0.value) })),
            "runs": .array(runs.map { $0.json(isDetailed: isDetailed) }),
        ]
    }
}

extension RunResult {
    fileprivate func json(isDetailed: Bool) -> JSONValue {
        var object = load.json
        for (key, value) in whole.json { object[key] = value }
        object["started_at"] = .number(startedAt)
        object["max_concurrent_requests"] = .integer(Int64(series.maximumInFlight))
        object["failures"] = .array(
            failures.map {
                ["kind": .text($0.kind.label), "count": .integer(Int64($0.count)), "message": .text($0.message)]
            })
        object["steady_state"] = steady.map { .object($0.json) } ?? .null
        object["client"] = [
            "cpu_seconds": .number(client.processorSeconds),
            "cpu_cores": .number(client.seconds > 0 ? client.processorSeconds / client.seconds : 0),
            "late_ms_p99": .optional(client.lateness.percentile(99).map { $0 * 1000 }),
            "send_late_ms_p99": .optional(
                Distribution(records.map { $0.sent - $0.due }).percentile(99).map { $0 * 1000 }),
        ]
        object["series"] = [
            "seconds_per_slice": .number(series.width),
            "output_throughput": .array(series.outputTokensPerSecond.map { .number($0) }),
            "in_flight": .array(series.inFlight.map { .number($0) }),
        ]
        object["notes"] = .array(notes.map { .text($0) })
        if isDetailed { object["requests"] = .array(records.map(\.json)) }
        return .object(object)
    }
}

extension Load {
    fileprivate var json: JSONObject {
        var object = JSONObject()
        switch self {
        case .closed(let concurrency, let rampUp):
            object["load"] = "closed"
            object["max_concurrency"] = .integer(Int64(concurrency))
            object["ramp_up"] = .number(rampUp)
        case .open(let rate, let arrival):
            object["load"] = "open"
            object["request_rate"] = .number(rate)
            object["arrival"] = .text(arrival.rawValue)
        }
        return object
    }
}

extension RunFigures {
    /// The percentiles of every report.
    package static let percentiles: [Double] = [25, 50, 75, 90, 95, 99]

    /// Under the names that `vllm bench serve --save-result` writes, where it has them.
    fileprivate var json: JSONObject {
        var object = JSONObject()
        object["duration"] = .number(seconds)
        object["completed"] = .integer(Int64(completed))
        object["failed"] = .integer(Int64(failed))
        object["without_text"] = .integer(Int64(withoutText))
        object["total_input_tokens"] = inputTokens.map { .integer(Int64($0)) } ?? .null
        object["cached_input_tokens"] = cachedTokens.map { .integer(Int64($0)) } ?? .null
        // A window may cut an event's tokens.
        object["total_output_tokens"] = Int64(exactly: outputTokens).map { .integer($0) } ?? .number(outputTokens)
        object["output_tokens_counted_by"] = .text(tokenCount.rawValue)
        object["tokens_per_event"] = .optional(tokensPerEvent)
        object["mean_input_len"] = .optional(promptLengths.mean)
        object["min_input_len"] = .optional(promptLengths.minimum)
        object["max_input_len"] = .optional(promptLengths.maximum)
        object["request_throughput"] = .number(requestsPerSecond)
        object["output_throughput"] = .number(outputTokensPerSecond)
        object["total_token_throughput"] = .optional(totalTokensPerSecond)
        object["request_goodput"] = .optional(goodput)
        object["good_requests"] = goodRequests.map { .integer(Int64($0)) } ?? .null
        for (name, samples) in distributions {
            object["count_\(name)"] = .integer(Int64(samples.count))
            object["mean_\(name)_ms"] = .optional(samples.mean.map { $0 * 1000 })
            object["std_\(name)_ms"] = .optional(samples.standardDeviation.map { $0 * 1000 })
            object["min_\(name)_ms"] = .optional(samples.minimum.map { $0 * 1000 })
            object["median_\(name)_ms"] = .optional(samples.median.map { $0 * 1000 })
            object["max_\(name)_ms"] = .optional(samples.maximum.map { $0 * 1000 })
            for percent in Self.percentiles {
                object["p\(Int(percent))_\(name)_ms"] = .optional(samples.percentile(percent).map { $0 * 1000 })
            }
        }
        return object
    }

    package var distributions: [(name: String, samples: Distribution)] {
        [
            ("ttft", timeToFirstToken), ("tpot", timePerOutputToken), ("itl", interTokenLatency), ("e2el", latency),
        ]
    }
}

extension RequestRecord {
    fileprivate var json: JSONValue {
        [
            "index": .integer(Int64(index)), "due": .number(due), "sent": .number(sent), "end": .number(end),
            "ttft": .optional(timeToFirstToken), "itl": .array(interTokenLatencies.map { .number($0) }),
            "input_len": promptTokens.map { .integer(Int64($0)) } ?? .null,
            "cached_len": cachedTokens.map { .integer(Int64($0)) } ?? .null,
            "output_len": outputTokens.map { .integer(Int64($0)) } ?? .null,
            "finish_reason": finishReason.map { .text($0) } ?? .null,
            "error": failure.map { .text("\($0.kind.label): \($0.message)") } ?? .null,
        ]
    }
}

extension JSONValue {
    fileprivate static func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
