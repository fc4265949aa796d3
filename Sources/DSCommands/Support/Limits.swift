import ArgumentParser

/// Upper ends of what options take: far beyond any machine, and small enough that no product of them overflows.
enum Limits {
    static let threads = 1024
    /// Tokens or rows in one dimension: contexts, prompts, steps.
    static let tokens = 1 << 26
    /// Requests or sequences at the same time.
    static let sequences = 1 << 16
    /// A week.
    static let milliseconds = 7 * 86_400_000
    static let repetitions = 1 << 20

    /// Throws unless a number that was given lies in `range`.
    static func check(_ value: Int?, _ range: ClosedRange<Int>, _ option: String) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError("\(option): expected \(range.lowerBound)...\(range.upperBound), found \(value)")
    }
}
