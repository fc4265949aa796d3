/// How long a step may take while any request generates, together with one of prompts alone before it: how long its next token can be
/// kept waiting by others' prompts.
public enum InterTokenLatencyBound: Sendable, Equatable {
    /// Prompts have as many rows as there are.
    case none
    case fixed(Duration)
    /// 200 ms, or four times what the step would take without prompts if that is more. The more requests generate, the larger their part
    /// of each step: under a fixed bound prompts get slower with each of them, until little but answers is computed and new requests wait
    /// many times as long as those that they wait for.
    case automatic

    static let leastSeconds = 0.2
    static let timesAnswersAlone = 4.0

    /// - Parameter answers: seconds that the step would take without prompts; nil: not known yet.
    /// - Returns: nil without a bound.
    package func seconds(besideAnswersOf answers: Double?) -> Double? {
        switch self {
        case .none: nil
        case .fixed(let duration): duration / .seconds(1)
        case .automatic: max(Self.leastSeconds, Self.timesAnswersAlone * (answers ?? 0))
        }
    }

    package var fixedDuration: Duration? {
        if case .fixed(let duration) = self { duration } else { nil }
    }
}
