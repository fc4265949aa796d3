/// What steps were measured to cost, by their rows: how much longer a step takes for one row more depends on the machine,
/// the model and what else runs, and decides how many guesses are worth computing.
package struct StepCosts: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var seconds = 0.0
        var count = 0
        var lastStep = 0
    }

    /// Steps with more rows are taken to cost as much as one of these.
    package static let maximumRows = 64
    /// Steps after which a measurement is forgotten, so that one disturbed minute does not decide for ever.
    private static let lifetime = 1024
    private var entries = [Entry](repeating: Entry(), count: maximumRows + 1)
    private var step = 0

    package init() {}

    package mutating func record(rows: Int, seconds: Double) {
        step += 1
        guard (1...Self.maximumRows).contains(rows) else { return }
        var entry = entries[rows]
        if step - entry.lastStep > Self.lifetime { entry.count = 0 }
        // The first one of its kind also plans.
        entry.seconds = entry.count < 2 ? seconds : entry.seconds + (seconds - entry.seconds) / 8
        entry.count += 1
        entry.lastStep = step
        entries[rows] = entry
    }

    private func isKnown(_ rows: Int) -> Bool {
        entries[rows].count >= 2 && step - entries[rows].lastStep <= Self.lifetime
    }

    /// The expected time of a step of so many rows, which never falls as they grow; nil if nothing was measured yet. What
    /// was not measured is taken to cost no more than the next smaller step, so that it is tried.
    package func seconds(rows: Int) -> Double? {
        let rows = min(max(rows, 1), Self.maximumRows)
        var least: Double?
        for larger in rows...Self.maximumRows where isKnown(larger) {
            least = min(least ?? .infinity, entries[larger].seconds)
        }
        if let least { return least }
        return (1..<rows).last { isKnown($0) }.map { entries[$0].seconds }
    }
}

/// Whether guesses by a drafter pay at all: it has to follow every token, guess or not, which on small models can cost more
/// than right guesses save.
package struct DrafterBudget: Sendable, Equatable {
    /// Steps of the model, and of the drafter, by their rows.
    package var model = StepCosts()
    package var drafter = StepCosts()
    /// Steps until a drafter that did not pay is tried again.
    private static let pause = 4096
    /// Steps of a trial, in which it works whatever it costs.
    private static let trial = 256
    private var step = 0
    private var restsUntil = 0
    private var worksUntil = trial

    package init() {}

    package var isResting: Bool { step < restsUntil }

    /// Every so often a step goes without guesses, so that its cost is known.
    package var wantsPlainStep: Bool { step % 32 == 31 }

    /// The least time of a token with guesses that are right at this rate, as a multiple of that without; nil if too
    /// little was measured.
    /// - Parameter requests: how many decode together.
    package func relativeTime(requests: Int, rate: Double, limit: Int) -> Double? {
        guard let plain = model.seconds(rows: requests), let single = drafter.seconds(rows: requests) else {
            return nil
        }
        var tokens = 1.0
        var chance = 1.0
        var least = Double.infinity
        for count in 1...limit {
            chance *= rate
            tokens += chance
            let rows = requests * (1 + count)
            guard let verifying = model.seconds(rows: rows), let following = drafter.seconds(rows: rows) else { break }
            least = min(least, (verifying + following + Double(count - 1) * single) / (tokens * plain))
        }
        return least.isFinite ? least : nil
    }

    /// Notes a step; lets the drafter rest if it does not pay.
    package mutating func note(requests: Int, rate: Double, limit: Int) {
        step += 1
        guard step >= worksUntil, !isResting else { return }
        guard let time = relativeTime(requests: requests, rate: rate, limit: limit), time > 1 else { return }
        restsUntil = step + Self.pause
        worksUntil = restsUntil + Self.trial
    }
}
