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
        // The first one of its kind also plans. One that takes far longer than usual was disturbed: it may say so, but not
        // outweigh the others.
        switch entry.count {
        case 0: entry.seconds = seconds
        case 1: entry.seconds = min(seconds, entry.seconds)
        default: entry.seconds += (min(seconds, 2 * entry.seconds) - entry.seconds) / 8
        }
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
