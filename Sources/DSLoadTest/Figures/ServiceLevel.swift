/// What an answer must keep to be good: upper bounds in milliseconds, all of which hold. The syntax and the definition are
/// those of `vllm bench serve --goodput`, which follows DistServe (Zhong et al., 2024).
package struct ServiceLevel: Sendable, Equatable {
    package enum Metric: String, Sendable, CaseIterable {
        case ttft, tpot, e2el
    }

    package let bounds: [(metric: Metric, milliseconds: Double)]

    package static func == (left: ServiceLevel, right: ServiceLevel) -> Bool {
        left.bounds.elementsEqual(right.bounds) { $0 == $1 }
    }

    /// Parses `ttft:2000`, `tpot:80`, `e2el:5000`.
    package init(parsing texts: [String]) throws(LoadTestError) {
        var bounds: [(metric: Metric, milliseconds: Double)] = []
        for text in texts {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let metric = Metric(rawValue: String(parts[0])),
                let value = Double(String(parts[1])),
                value >= 0, value.isFinite
            else { throw .invalidGoodput(text, "NAME:MILLISECONDS with the name ttft, tpot or e2el") }
            guard !bounds.contains(where: { $0.metric == metric }) else {
                throw .invalidGoodput(text, "each name once")
            }
            bounds.append((metric, value))
        }
        self.bounds = bounds
    }

    /// `ttft:2000 tpot:80`.
    package var text: String {
        bounds.map { "\($0.metric.rawValue):\(Figure.text($0.milliseconds).replacing(",", with: ""))" }
            .joined(separator: " ")
    }

    /// Whether a request kept every bound. A failed one never does; neither does one without a first token if that is
    /// bounded. An answer of one token has a time per output token of 0.
    package func isMet(by record: RequestRecord) -> Bool {
        guard record.failure == nil else { return false }
        return bounds.allSatisfy { bound in
            let seconds: Double? =
                switch bound.metric {
                case .ttft: record.timeToFirstToken
                case .tpot: record.outputTokens ?? 0 > 1 ? record.timePerOutputToken : 0
                case .e2el: record.latency
                }
            guard let seconds else { return false }
            return seconds * 1000 <= bound.milliseconds
        }
    }
}
