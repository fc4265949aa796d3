/// What steps were measured to take, as a linear function of what they compute. The clock decides how prompts are cut, never what
/// comes out.
///
/// The weights are the least squares over the last steps, none of them negative: more work never promises less time. Steps with answers,
/// with prompts, and with both are remembered apart, so that an hour of one kind does not make the others forgotten: what answers
/// add to a step shows in the steps without them.
package struct StepTimes: Sendable {
    /// What a step computes, as far as its time depends on it.
    package struct Work: Sendable, Equatable {
        /// Rows of generated tokens, and the tokens that they look back on, all together.
        package var decodeRows = 0
        package var decodeContext = 0
        package var promptRows = 0
        /// The same of prompts: tokens that each row looks back on, all together.
        package var promptPairs = 0
        /// Tokens of the contexts of prompts, each counted once.
        package var promptContext = 0

        package init() {}

        /// With so many more rows of a request that decodes and then has `context` tokens.
        package func adding(decodeRows rows: Int, context: Int) -> Work {
            var work = self
            work.decodeRows += rows
            work.decodeContext += context
            return work
        }

        /// With so many more rows of a prompt that has `depth` tokens already.
        package func adding(promptRows rows: Int, at depth: Int) -> Work {
            var work = self
            work.promptRows += rows
            work.promptPairs += rows * depth + rows * rows / 2
            work.promptContext += depth + rows
            return work
        }

        package static func + (one: Work, other: Work) -> Work {
            var work = one
            work.decodeRows += other.decodeRows
            work.decodeContext += other.decodeContext
            work.promptRows += other.promptRows
            work.promptPairs += other.promptPairs
            work.promptContext += other.promptContext
            return work
        }

        /// In units that make the weights alike.
        fileprivate var features: SIMD8<Double> {
            SIMD8(
                1, Double(decodeRows) / 8, Double(decodeContext) / 8192, promptRows > 0 ? 1 : 0,
                Double(promptRows) / 128, Double(promptPairs) / 131_072, Double(promptContext) / 8192, 0)
        }
    }

    private struct Sample: Sendable {
        var features: SIMD8<Double>
        var seconds: Double
    }

    /// The last samples of one kind of step.
    private struct Memory: Sendable {
        private(set) var samples: [Sample] = []
        private var next = 0
        private static let capacity = 64

        init() { samples.reserveCapacity(Self.capacity) }

        mutating func put(_ sample: Sample) {
            if samples.count < Self.capacity { samples.append(sample) } else { samples[next] = sample }
            next = (next + 1) % Self.capacity
        }
    }

    /// Steps with answers and prompts, with answers alone, with prompts alone.
    private var mixed = Memory()
    private var plain = Memory()
    private var prompts = Memory()
    /// Steps with both since the last one in which answers, if there were any, were left.
    private var mixedSincePrompts = 0
    private var weights: SIMD8<Double>?
    /// Whether the weights come from steps without prompts, too.
    private var knowsPlain = false
    /// Largest number of prompt rows that were measured.
    private var largestPrompt = 0

    package init() {}

    /// - Parameter leavesAnswers: requests that decode had no part in the step; its decode rows are computed again, after a preemption.
    package mutating func record(_ work: Work, seconds: Double, leavesAnswers: Bool = false) {
        guard seconds > 0, seconds.isFinite else { return }
        // A step that took far longer than expected was disturbed: it may say so, but not outweigh the others.
        var seconds = seconds
        if let expected = self.seconds(work), expected > 0 { seconds = min(seconds, 3 * expected) }
        let sample = Sample(features: work.features, seconds: seconds)
        if leavesAnswers { mixedSincePrompts = 0 }
        guard work.promptRows > 0 else { return plain.put(sample) }
        if work.decodeRows == 0 {
            prompts.put(sample)
            mixedSincePrompts = 0
        } else {
            mixed.put(sample)
            if !leavesAnswers { mixedSincePrompts += 1 }
        }
        largestPrompt = max(largestPrompt, work.promptRows)
        weights = Self.fit(mixed.samples + plain.samples + prompts.samples, from: weights ?? .zero)
        knowsPlain = !plain.samples.isEmpty
    }

    /// The expected time of a step; nil before any step with a prompt was measured.
    package func seconds(_ work: Work) -> Double? {
        weights.map { ($0 * work.features).sum() }
    }

    /// The expected time of a step without prompts; nil before any was measured: what those with prompts say of it may be their own time.
    package func plainSeconds(_ work: Work) -> Double? { knowsPlain ? seconds(work) : nil }

    /// How many rows of a prompt that has `depth` tokens already fit into a step beside `work`: at least so many, at most twice as
    /// many as were ever measured, in pieces that are worth a register tile.
    package func promptRows(
        within limit: Double, beside work: Work, depth: Int, atLeast least: Int, atMost most: Int
    ) -> Int {
        let piece = 8
        var rows = least
        while rows + piece <= min(most, max(2 * largestPrompt, least)),
            let seconds = seconds(work.adding(promptRows: rows + piece, at: depth)), seconds <= limit
        {
            rows += piece
        }
        return rows
    }

    /// Whether prompts had better have a step of their own before the one of the answers: both steps fit into `limit`, and the prompts'
    /// first tokens come earlier by at least as much as the answers come later. That is what the answers add to a step with prompts, and
    /// what a step costs whatever it computes. Under a load that always has both, one step in seventeen is tried: what was never
    /// measured apart cannot be told apart. False before a step without prompts was measured.
    package func promptsPayAlone(_ outlook: Outlook, within limit: Double) -> Bool {
        guard let prompts = outlook.prompts, prompts.promptRows > 0, prompts.promptRows <= 2 * largestPrompt,
            let answers = plainSeconds(outlook.answers), let after = plainSeconds(outlook.answersAfterPrompts),
            let alone = seconds(prompts), let together = seconds(prompts + outlook.answers)
        else { return false }
        guard alone + after <= limit else { return false }
        return mixedSincePrompts >= 16 || together - alone >= alone + answers - together
    }

    /// Weights that are not negative and minimise the squared error, by descent along one weight after the other.
    private static func fit(_ samples: [Sample], from start: SIMD8<Double>) -> SIMD8<Double> {
        var products = [SIMD8<Double>](repeating: .zero, count: SIMD8<Double>.scalarCount)
        var targets = SIMD8<Double>.zero
        for sample in samples {
            // Relative errors count: a step of 20 ms may be 2 ms off, one of a second 100 ms.
            let scaled = sample.features / (sample.seconds * sample.seconds)
            targets += scaled * sample.seconds
            for row in products.indices { products[row] += scaled[row] * sample.features }
        }
        // The last step changed little, so that few rounds from where they were are enough, but for the first steps: the features are much alike.
        var weights = start
        for _ in 0..<1000 {
            var change = 0.0
            for row in products.indices where products[row][row] > 0 {
                let others = (products[row] * weights).sum() - products[row][row] * weights[row]
                let weight = max(0, (targets[row] - others) / products[row][row])
                // How far the weight moves what is expected of the samples, relative to what they took.
                change = max(change, abs(weight - weights[row]) * products[row][row].squareRoot())
                weights[row] = weight
            }
            if change < 1e-4 { break }
        }
        return weights
    }
}
