import DSEngine
import DSGrammar
import DSModels
import DSSupport

/// What structured output adds to a model's decode steps: answers under a grammar beside free ones of the same length.
struct ConstraintMeasurement {
    private let generator: TextGenerator
    /// Answers side by side, and tokens of each at most.
    private let batch: Int
    private let tokens: Int
    private let seed: UInt64

    /// Guesses are off: with them a step gives a varying number of tokens.
    init(_ model: LoadedModel, batch: Int, tokens: Int, seed: UInt64) throws {
        var configuration = EngineConfiguration()
        configuration.speculation = .off
        configuration.maxBatchSize = max(batch, configuration.maxBatchSize)
        generator = try TextGenerator(model: model, configuration: configuration)
        (self.batch, self.tokens, self.seed) = (batch, tokens, seed)
    }

    /// Masks of the first round are computed; those of the last, after other answers, mostly found. Free answers are
    /// measured before and after.
    func run(_ source: GrammarSource) async throws -> JSONValue {
        // The first run reads weights and may copy them.
        repeat { _ = try await round(nil, seed) } while isCopying
        let before = try await round(nil, seed)
        let first = try await round(source, seed)
        for other in UInt64(1)...4 { _ = try await round(source, seed &+ other &* 500) }
        let later = try await round(source, seed &+ 5000)
        let after = try await round(nil, seed)
        let free = (before.stepSeconds + after.stepSeconds) / Double(max(1, before.steps + after.steps))
        await generator.engine.shutdown()
        return [
            "vocabulary": .integer(Int64(generator.engine.vocabularySize)), "batch": .integer(Int64(batch)),
            "free_step_ms": .number(free * 1e3), "first_use": first.json, "later": later.json,
        ]
    }

    private var isCopying: Bool {
        let statistics = generator.engine.statistics()
        return statistics.copiedWeightBytes < statistics.weightBytesToCopy
    }

    private struct Round {
        var steps = 0
        var stepSeconds = 0.0
        var masks = 0
        var maskSeconds = 0.0

        var json: JSONValue {
            let steps = Double(max(1, steps))
            return [
                "steps": .integer(Int64(self.steps)), "masks": .integer(Int64(masks)),
                "step_ms": .number(stepSeconds / steps * 1e3), "mask_us_per_step": .number(maskSeconds / steps * 1e6),
                "mask_us": .number(maskSeconds / Double(max(1, masks)) * 1e6),
                "share_percent": .number(stepSeconds > 0 ? maskSeconds / stepSeconds * 100 : 0),
            ]
        }
    }

    /// Decode steps of one batch of answers. A free answer goes on past the end tokens.
    private func round(_ source: GrammarSource?, _ seed: UInt64) async throws -> Round {
        let before = generator.engine.telemetry().telemetry
        let steps = generator.engine.statistics()
        var streams: [TextStream] = []
        for index in 0..<batch {
            var options = TextOptions()
            options.constraint = source.map { AnswerConstraint(.text($0), field: "source") }
            options.sampling.temperature = 1
            options.sampling.seed = seed &+ UInt64(index)
            options.stopping.maxTokens = tokens
            options.stopping.ignoreEndOfSequence = source == nil
            streams.append(try generator.generate(TextRequest(.text("1"), options: options)))
        }
        for stream in streams { _ = try await stream.collect() }
        let after = generator.engine.telemetry().telemetry
        guard source == nil else {
            return Round(
                steps: after.constrainedSteps - before.constrainedSteps,
                stepSeconds: after.constrainedStepSeconds - before.constrainedStepSeconds,
                masks: after.masks - before.masks, maskSeconds: after.constraintSeconds - before.constraintSeconds)
        }
        let now = generator.engine.statistics()
        return Round(
            steps: now.steps - steps.steps, stepSeconds: (now.stepTime - steps.stepTime) / .seconds(1), masks: 0,
            maskSeconds: 0)
    }
}
