import ArgumentParser
import DSLoadTest
import DSSupport
import Foundation

/// The runs of one test: probes, warm-up, then a run per load.
final class LoadTestSession {
    let client: LoadClient
    let form: RequestForm
    /// The one that was asked for, or drawn.
    let seed: UInt64
    private let load: LoadTestLoadOptions
    private var prompts: PromptSource
    /// How many tokens a word of a synthetic prompt makes; nil for other prompts.
    private(set) var wordFit: WordFit?
    /// The number of the next prompt: none is used twice, but for those that a list repeats.
    private var nextPrompt = 0

    init(client: LoadClient, form: RequestForm, prompts: PromptSource, load: LoadTestLoadOptions, seed: UInt64) {
        self.client = client
        self.form = form
        self.prompts = prompts
        self.load = load
        self.seed = seed
    }

    func runs(serviceLevel: ServiceLevel?, wantsSteadyState: Bool) async throws -> [RunResult] {
        try await fitWords()
        try await warmUp()
        var results: [RunResult] = []
        for load in load.loads {
            let progress = RunProgress()
            let interrupt = Interrupt {
                if progress.isStopped { return Interrupt.end() }
                progress.stop()
            }
            defer { interrupt.stop() }
            let run = run(load, limit: self.load.limit)
            let display = LoadTestProgress(load: load, limit: self.load.limit, progress: progress)
            let startedAt = Date.now.timeIntervalSince1970
            let (records, health) = await ClientHealth.watching { await display.showing { await run.run(progress) } }
            nextPrompt += records.count
            let result = RunResult(
                load: load, startedAt: startedAt, records: records, client: health, serviceLevel: serviceLevel,
                wantsSteadyState: wantsSteadyState, isInterrupted: progress.isStopped, endpoint: form.endpoint,
                sharesNothing: prompts.sharesNothing)
            results.append(result)
            if progress.isStopped { break }
        }
        return results
    }

    private func run(_ load: Load, limit: RunLimit) -> LoadRun {
        LoadRun(
            client: client, form: form, prompts: prompts, load: load, limit: limit, firstPrompt: nextPrompt,
            seed: seed)
    }

    private func warmUp() async throws {
        guard load.warmup > 0 else { return }
        let concurrency = min(load.warmup, load.levels.max() ?? 1)
        let run = run(.closed(concurrency: concurrency), limit: RunLimit(requests: load.warmup, seconds: nil))
        let records = await run.run(RunProgress())
        nextPrompt += records.count
        guard let failure = records.compactMap(\.failure).first else { return }
        throw LoadTestError.warmUp(failure.text(on: form.endpoint))
    }

    /// Two requests of one token tell how many prompt tokens words make at this server.
    private func fitWords() async throws {
        guard case .synthetic(var synthetic) = prompts else { return }
        var tokens: [Int] = []
        let sizes = SyntheticPrompts.probes
        for (index, words) in sizes.enumerated() {
            var generator = SeededGenerator(seed: seed, stream: UInt64.max - UInt64(index))
            var probe = form
            probe.isStreamed = false
            let request = PlannedRequest(
                prompt: .text(SyntheticPrompts.text(words: words, using: &generator)), maxTokens: 1)
            let record = await client.send(
                probe.body(for: request), to: form.endpoint, index: 0, due: 0, stopwatch: Stopwatch())
            if let failure = record.failure {
                throw LoadTestError.calibration(
                    "expected an answer to a probe of \(words) words, found "
                        + failure.text(on: form.endpoint))
            }
            if let count = record.promptTokens { tokens.append(count) }
        }
        if tokens.count == sizes.count {
            synthetic.fit = try WordFit(words: sizes[0], tokens: tokens[0], words: sizes[1], tokens: tokens[1])
        } else {
            Terminal.note("note: the server does not count prompt tokens: a word is taken for one token")
        }
        wordFit = synthetic.fit
        prompts = .synthetic(synthetic)
    }
}
