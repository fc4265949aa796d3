import ArgumentParser
import DSEngine
import DSGraph
import DSKernels
import DSModels
import DSSupport
import Foundation

/// `deepseek bench`: tokens per second of prompts and of generation, as llama-bench measures them.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure prompt processing and generation.",
        discussion: """
            For every depth: each prompt size (-p) after that many tokens, and each output size (-n) for every number of \
            sequences (-b). Rates count the tokens of all sequences; sampling is not included. One warm-up run precedes \
            the measured ones. The limit of a test is the time in which this machine can read the weights and the cache \
            once per step, or compute the products with weights, whichever is longer; --roofline shows what the machine \
            can do.

            EXAMPLES
              deepseek bench model.gguf -p 128,512 -n 64 -d 0,4096 -b 1,8 -t 2 -r 3 --json
              deepseek bench --roofline
              deepseek bench model.gguf -p 512 -b 1,8 --profile --profile-output steps.html
              deepseek bench model.gguf --mixed 16:64,700:8,120:32,40:128
            """)

    @OptionGroup var model: ModelArgument
    @Option(name: .customShort("p"), help: "Prompt sizes, in tokens.")
    var prompts = Sizes([512])
    @Option(name: .customShort("n"), help: "Output sizes, in tokens.")
    var outputs = Sizes([64])
    @Option(name: .customShort("d"), help: "Tokens already in the cache; multiples of --chunk.")
    var depths = Sizes([0])
    @Option(name: .customShort("b"), help: "Sequences that generate at the same time.")
    var batches = Sizes([1])
    @Option(name: [.customShort("t"), .long], help: "Threads (default: one per usable processor).")
    var threads: Int?
    @OptionGroup var placement: PlacementOptions
    @Option(name: [.customShort("r"), .long], help: "Measured runs of each test.")
    var repetitions = 3
    @Option(help: "Prompt tokens per step.")
    var chunk = 512
    @Option(help: "Element type of the key/value cache: f32, f16, bf16 or q8_0.")
    var cacheType = CacheType.f16
    @Option(
        help: "Graph optimisation level, 0 (none) ... 3 (all; copies quantised weights into a faster layout in memory)."
    )
    var optimizeLevel = 3
    @Flag(help: "Measure the machine instead: memory bandwidth and arithmetic peaks of 1 thread, 2, 4 ... all.")
    var roofline = false
    @Flag(help: "Print what the operations of one step of each test cost instead.")
    var profile = false
    @Option(
        help: ArgumentHelp(
            "With --profile: also a page with timelines (.html) or a trace for chrome://tracing (.json).",
            valueName: "file"))
    var profileOutput: String?
    @Option(
        help: ArgumentHelp(
            "Measure requests of these lengths in one batch instead, and the same requests padded to the longest.",
            valueName: "prompt:output,..."))
    var mixed: MixedLengths?
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try Limits.check(repetitions, 1...Limits.repetitions, "-r")
        try Limits.check(chunk, 1...Limits.tokens, "--chunk")
        try Limits.check(threads, 1...Limits.threads, "-t")
        for batch in batches.values { try Limits.check(batch, 1...Limits.sequences, "-b") }
        for (option, sizes) in [("-p", prompts), ("-n", outputs), ("-d", depths)] {
            for size in sizes.values { try Limits.check(size, 0...Limits.tokens, option) }
        }
        try Limits.check(optimizeLevel, 0...3, "--optimize-level")
        if roofline, model.model != nil { throw ValidationError("--roofline: expected no model") }
        if mixed != nil, roofline || profile {
            throw ValidationError("--mixed: expected without --roofline and --profile")
        }
        if roofline, profile { throw ValidationError("--roofline: expected without --profile") }
        guard roofline || (prompts.values + outputs.values).contains(where: { $0 > 0 }) else {
            throw ValidationError("expected a size above 0 in -p or -n, found none")
        }
        if let profileOutput {
            guard profile else { throw ValidationError("--profile-output: expected together with --profile") }
            guard profileOutput.hasSuffix(".html") || profileOutput.hasSuffix(".json") else {
                throw ValidationError("--profile-output: expected a name with .html or .json, found '\(profileOutput)'")
            }
            try OutputPath.check(profileOutput, option: "--profile-output")
        }
        for depth in depths.values where depth % chunk != 0 {
            throw ValidationError("-d: expected multiples of --chunk (\(chunk)), found \(depth)")
        }
    }

    func run() throws {
        let kernels = try KernelSet.selected()
        let threads = threads ?? Processors.usable
        if roofline {
            let report = RooflineReport(
                tier: kernels.tier,
                rooflines: try RooflineReport.counts(upTo: threads).map { try .measure(kernels, threads: $0) })
            Terminal.line(json ? report.json.serializedString(.pretty) : report.table)
            return
        }
        let loaded = try model.load()
        if let mixed {
            let report = try compare(mixed, loaded)
            return Terminal.line(json ? report.json.serializedString(.pretty) : report.table)
        }
        if profile { return try printProfiles(loaded, .measure(kernels, threads: threads)) }
        let before = try Roofline.measure(kernels, threads: threads)
        var results: [BenchResult] = []
        for depth in depths.values {
            for prompt in prompts.values where prompt > 0 {
                results.append(try measure(loaded, depth: depth, prompt: prompt, generate: 0, batch: 1))
            }
            for generate in outputs.values where generate > 0 {
                for batch in batches.values {
                    results.append(try measure(loaded, depth: depth, prompt: 0, generate: generate, batch: batch))
                }
            }
        }
        let limits = TestLimits(
            summary: ModelSummary(loaded), roofline: before.combined(with: try .measure(kernels, threads: threads)),
            chunk: chunk, cacheType: cacheType.kvCacheType.dtype)
        for index in results.indices { results[index].limit = limits.limit(of: results[index]) }
        if json {
            Terminal.line(JSONValue.array(results.map(\.json)).serializedString(.pretty))
        } else {
            Terminal.line(BenchResult.table(results))
        }
    }

    private func measure(
        _ model: LoadedModel, depth: Int, prompt: Int, generate: Int, batch: Int
    ) throws -> BenchResult {
        let driver = try makeDriver(model, depth: depth, prompt: prompt, generate: generate, batch: batch)
        var progress = ProgressLine(
            prompt > 0 ? "prefill \(prompt) @\(depth)" : "decode \(generate) × \(batch) @\(depth)",
            total: repetitions + 1, unit: "runs")
        var rates: [Double] = []
        for run in 0...repetitions {
            let rate =
                prompt > 0
                ? try prefill(driver, prompt, depth) : try decode(driver, generate, depth, batch)
            if run > 0 { rates.append(rate) }
            progress.update(run + 1)
        }
        return BenchResult(
            model: model.name, prompt: prompt, generate: generate, depth: depth, batch: batch,
            threads: threads ?? Processors.usable, rates: rates)
    }

    /// Computes the requests as they are, then padded; each form has the cache for itself.
    private func compare(_ lengths: MixedLengths, _ model: LoadedModel) throws -> RaggedReport {
        var report = RaggedReport(model: model.name, lengths: lengths)
        var progress = ProgressLine("ragged and padded", total: 2 * (repetitions + 1), unit: "runs")
        let padded = lengths.padded
        for (requests, form) in [(lengths, \RaggedReport.ragged), (padded, \RaggedReport.padded)] {
            // One driver at a time: each has its cache.
            let driver = try makeDriver(
                model, depth: 0, prompt: 0, generate: padded.context, batch: lengths.requests.count)
            for run in 0...repetitions {
                var measured = RaggedReport.Form(seconds: report[keyPath: form].seconds)
                for request in requests.requests { driver.add(prompt: request.prompt, generate: request.output) }
                var time = Duration.zero
                while let step = try driver.step() {
                    time += step.time
                    measured.rows += step.promptRows + step.decodeRows
                    measured.cacheBytes = max(measured.cacheBytes, step.cacheBytes)
                }
                if run > 0 { measured.seconds.append(time / .seconds(1)) }
                measured.arenaBytes = driver.arenaBytes
                report[keyPath: form] = measured
                progress.update(run + 1 + (form == \.padded ? repetitions + 1 : 0))
            }
        }
        return report
    }

    private func makeDriver(
        _ model: LoadedModel, depth: Int, prompt: Int, generate: Int, batch: Int
    ) throws -> StepDriver {
        var configuration = EngineConfiguration()
        configuration.threads = threads
        placement.apply(to: &configuration)
        configuration.kvCacheType = cacheType.kvCacheType
        configuration.maxBatchTokens = chunk
        configuration.optimizeLevel = optimizeLevel
        let driver = try StepDriver(
            model: model, configuration: configuration, sequences: batch,
            context: max(depth + prompt, depth + 1) + generate + 1)
        if let note = driver.note { Terminal.note("note: \(note)") }
        return driver
    }

    /// Profiles the last step of each test, after the same test has run once.
    private func printProfiles(_ model: LoadedModel, _ roofline: Roofline) throws {
        var reports: [StepReport] = []
        func add(_ title: String, depth: Int, prompt: Int, generate: Int, batch: Int) throws {
            let driver = try makeDriver(model, depth: depth, prompt: prompt, generate: generate, batch: batch)
            var profile = StepProfile()
            for _ in 0..<2 {
                if prompt > 0 {
                    driver.add(prompt: depth + prompt, generate: 1)
                } else {
                    try driver.addDecoding(batch, prompt: max(depth, 1), generate: generate)
                }
                while !driver.isIdle {
                    profile = StepProfile()
                    driver.profile = profile
                    _ = try driver.step()
                }
            }
            reports.append(StepReport(title: title, events: profile.events, roofline: roofline))
        }
        for depth in depths.values {
            for prompt in prompts.values where prompt > 0 {
                try add("prefill \(prompt) @\(depth)", depth: depth, prompt: prompt, generate: 0, batch: 1)
            }
            for batch in batches.values where outputs.values.contains(where: { $0 > 0 }) {
                try add("decode \(batch) @\(depth)", depth: depth, prompt: 0, generate: 2, batch: batch)
            }
        }
        if let profileOutput {
            let text =
                profileOutput.hasSuffix(".html")
                ? StepReport.page(reports, model: model.name)
                : StepReport.chromeTrace(reports).serializedString(.compact)
            do {
                let url = URL(fileURLWithPath: OutputPath.resolved(profileOutput))
                try Data(text.utf8).write(to: url, options: .atomic)
            } catch {
                throw ValidationError("--profile-output: cannot write \(profileOutput)")
            }
        }
        Terminal.line(
            json
                ? JSONValue.array(reports.map(\.json)).serializedString(.pretty)
                : reports.map(\.table).joined(separator: "\n\n"))
    }

    private func prefill(_ driver: StepDriver, _ prompt: Int, _ depth: Int) throws -> Double {
        driver.add(prompt: depth + prompt, generate: 1)
        var computed = 0
        var time = Duration.zero
        while let step = try driver.step() {
            // The chunks before the depth fill the cache.
            if computed >= depth { time += step.time }
            computed += step.promptRows
        }
        return Double(prompt) / (time / .seconds(1))
    }

    private func decode(_ driver: StepDriver, _ generate: Int, _ depth: Int, _ batch: Int) throws -> Double {
        try driver.addDecoding(batch, prompt: max(depth, 1), generate: generate)
        var rows = 0
        var time = Duration.zero
        while let step = try driver.step() {
            guard step.promptRows == 0, step.decodeRows == batch else {
                throw EngineError.modelFailure("a step of \(step.decodeRows) rows, expected \(batch)")
            }
            rows += step.decodeRows
            time += step.time
        }
        return Double(rows) / (time / .seconds(1))
    }
}

/// A comma-separated list of sizes.
struct Sizes: ExpressibleByArgument {
    let values: [Int]

    init(_ values: [Int]) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Int($0) }.filter { $0 >= 0 }
        guard values.count == parts.count, !values.isEmpty else { return nil }
    }

    var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
