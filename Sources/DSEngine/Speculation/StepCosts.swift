/// What steps were measured to cost, by their rows: how much longer a step takes for one row more depends on the machine,
/// the model and what else runs, and decides how many guesses are worth computing.
package struct StepCosts: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var seconds = 0.0
        var count = 0
        var lastStep = 0
    }

    /// Steps with more rows are bound by arithmetic: guesses do not pay there.
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

    /// The expected time of a step of so many rows, which never falls as they grow: measured, or between its measured
    /// neighbours. One row more than was ever measured counts as much as the largest that was, so that it is tried; nil beyond.
    package func seconds(rows: Int) -> Double? {
        guard (1...Self.maximumRows).contains(rows) else { return nil }
        var least: (rows: Int, seconds: Double)?
        for larger in rows...Self.maximumRows where isKnown(larger) {
            if least.map({ entries[larger].seconds < $0.seconds }) ?? true { least = (larger, entries[larger].seconds) }
        }
        let smaller = (1..<rows).last { isKnown($0) }
        guard let least else { return smaller.flatMap { rows == $0 + 1 ? entries[$0].seconds : nil } }
        guard !isKnown(rows), let smaller, least.seconds > entries[smaller].seconds else { return least.seconds }
        let part = Double(rows - smaller) / Double(least.rows - smaller)
        return entries[smaller].seconds + part * (least.seconds - entries[smaller].seconds)
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
    /// Steps of a trial, in which it works unless it clearly does not pay.
    private static let trial = 256
    /// Steps after which that can be clear.
    private static let shortest = 64
    private var step = 0
    private var restsUntil = 0
    private var trialStart = 0
    /// Guesses per request and step lately.
    private var guessing = 1.0

    package init() {}

    package var isResting: Bool { step < restsUntil }

    /// Every so often a step goes without guesses, so that its cost is known.
    package var wantsPlainStep: Bool { step % 32 == 31 }
    /// And every so often a guess is made whatever it promises, so that promises stay true.
    package var wantsSample: Bool { step % 32 == 15 }

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

    /// Notes a step; lets the drafter rest if it does not pay. Where nothing tells what more rows would cost, because none are
    /// tried any more, following is all that it does.
    /// - Parameter guesses: of all requests together, made after the step before.
    package mutating func note(requests: Int, guesses: Int, rate: Double, limit: Int) {
        step += 1
        guessing += (Double(guesses) / Double(requests) - guessing) / 16
        let worked = step - trialStart
        guard worked >= Self.shortest, !isResting else { return }
        let time = relativeTime(requests: requests, rate: rate, limit: limit) ?? (guessing < 0.25 ? 2 : 0)
        guard time > (worked < Self.trial ? 1.1 : 1) else { return }
        guessing = 1
        restsUntil = step + Self.pause
        trialStart = restsUntil
    }
}
