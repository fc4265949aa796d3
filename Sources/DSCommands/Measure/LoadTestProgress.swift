import DSLoadTest

/// A line on standard error that says how far a run is, while a person looks.
struct LoadTestProgress: Sendable {
    let load: Load
    let limit: RunLimit
    let progress: RunProgress

    func showing<Result: Sendable>(_ body: @Sendable () async -> Result) async -> Result {
        guard Terminal.errorIsInteractive else { return await body() }
        let stopwatch = Stopwatch()
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while (try? await Task.sleep(for: .milliseconds(250))) != nil {
                    Terminal.status(line(at: stopwatch.seconds))
                }
            }
            let result = await body()
            group.cancelAll()
            Terminal.status(line(at: stopwatch.seconds) + "\n")
            return result
        }
    }

    func line(at seconds: Double) -> String {
        let now = progress.snapshot
        var text = "\(load.title): \(now.done)"
        if let requests = limit.requests { text += "/\(requests)" }
        text += " done"
        if now.failed > 0 { text += ", \(now.failed) failed" }
        text += ", \(now.started - now.done) under way"
        if seconds > 0 {
            text += ", \(Figure.text(Double(now.done) / seconds)) requests/s"
            text += ", \(Figure.text(Double(now.outputTokens) / seconds)) tokens/s"
        }
        if let left = secondsLeft(now, at: seconds) { text += ", \(Figure.text(left, digits: 0)) s left" }
        return progress.isStopped ? text + ", stopping" : text
    }

    /// Until the limit that is reached first, at the rate so far.
    private func secondsLeft(_ now: RunProgress.Snapshot, at seconds: Double) -> Double? {
        var ends: [Double] = []
        if let duration = limit.seconds { ends.append(max(0, duration - seconds)) }
        if let requests = limit.requests, now.done > 0 {
            ends.append(Double(max(0, requests - now.done)) * seconds / Double(now.done))
        }
        return ends.min()
    }
}
