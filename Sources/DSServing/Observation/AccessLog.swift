import DSEngine
import Hummingbird
package import Logging

/// A request's line in the log. It holds no text of prompts or answers.
package struct AccessLog {
    let request: Request
    let status: Int
    let seconds: Double
    let client: String?
    let state: RequestRecord.State

    func write(to logger: Logger) {
        logger.log(
            level: status >= 500 ? .error : .info, "\(request.method) \(request.uri.path) \(status)",
            metadata: metadata)
    }

    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            "method": "\(request.method)", "path": "\(request.uri.path)", "status": Self.number(status),
            "request_time": .stringConvertible(Self.rounded(seconds)), "bytes": Self.number(state.bytes),
        ]
        if let client { metadata["client"] = "\(client)" }
        return metadata.merging(Self.answers(of: state)) { $1 }
    }

    /// Who asked which model, and what became of the answers.
    package static func answers(of state: RequestRecord.State) -> Logger.Metadata {
        var metadata: Logger.Metadata = [:]
        if let model = state.model { metadata["model"] = "\(model)" }
        if let tenant = state.tenant { metadata["tenant"] = "\(tenant)" }
        if let error = state.error { metadata["error"] = "\(error)" }
        if !state.answers.isEmpty { addAnswers(of: state, to: &metadata) }
        return metadata
    }

    private static func addAnswers(of state: RequestRecord.State, to metadata: inout Logger.Metadata) {
        let answers = state.answers
        let results = answers.compactMap(\.result)
        metadata["n"] = number(state.answersPerPrompt)
        // Of answers that broke off, what was computed.
        metadata["prompt_tokens"] = number(
            sum(answers) { $0.isFirst ? $0.result?.usage.promptTokens ?? $0.promptTokens : 0 })
        metadata["completion_tokens"] = number(sum(results) { $0.usage.completionTokens })
        metadata["cached_tokens"] = number(sum(answers) { $0.isFirst ? $0.result?.usage.cachedPromptTokens ?? 0 : 0 })
        var reasons: [String] = []
        for answer in answers where !reasons.contains(answer.finishReason) { reasons.append(answer.finishReason) }
        metadata["finish_reason"] = "\(reasons.joined(separator: ","))"
        // Both of the answer that began first.
        let latest = Duration.seconds(Int64.max)
        let timings = results.map(\.timings).min {
            ($0.firstToken ?? latest) < ($1.firstToken ?? latest)
        }
        if let first = timings?.firstToken { metadata["ttft"] = time(first) }
        if let queued = timings?.scheduled { metadata["queue_time"] = time(queued) }
        metadata["compute_seconds"] = .stringConvertible(
            rounded(results.reduce(0) { $0 + $1.timings.computeSeconds }))
        if let cost = state.cost { metadata["cost"] = .stringConvertible(cost) }
    }

    private static func sum<Element>(_ elements: [Element], _ value: (Element) -> Int) -> Int {
        elements.reduce(0) { $0 + value($1) }
    }

    private static func number(_ value: Int) -> Logger.MetadataValue { .stringConvertible(value) }

    private static func time(_ duration: Duration) -> Logger.MetadataValue {
        .stringConvertible(rounded(duration / .seconds(1)))
    }

    /// Seconds to the microsecond.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }
}
