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
