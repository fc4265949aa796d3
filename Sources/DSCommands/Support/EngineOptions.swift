import ArgumentParser
import DSEngine
import DSKernels
import DSModels

/// How a command's engine uses the machine.
struct EngineOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Threads that compute (default: one per usable processor).")
    var threads: Int?
    @OptionGroup var placement: PlacementOptions
    @Option(help: "Element type of the key/value cache: f32, f16, bf16 or q8_0.")
    var cacheType = CacheType.f16
    @Option(
        help:
            "Memory for the key/value cache in MiB (default: enough for 32768 tokens, or for all requests at the model's longest context if that is less)."
    )
    var cacheMemory: Int?
    @Option(
        help: "Graph optimisation level, 0 (none) ... 3 (all; copies quantised weights into a faster layout in memory)."
    )
    var optimizeLevel = 3

    @Option(
        help:
            "Where guesses at coming tokens come from: mtp (the model's own layer), ngram (repetitions), auto (both) or off. They change the speed, never the tokens."
    )
    var speculation = SpeculationOption.auto
    @Option(help: "At most this many guessed tokens per request and step, 1...16. (default: 4)")
    var draftTokens: Int?
    @Flag(help: "Compute as many guessed tokens as there are, also where that was measured not to pay.")
    var draftAlways = false

    func configuration() throws -> EngineConfiguration {
        var configuration = EngineConfiguration()
        try Limits.check(threads, 1...Limits.threads, "--threads")
        configuration.threads = threads
        if let threads, threads > Processors.usable {
            Terminal.note(
                "note: --threads \(threads) on \(Processors.usable) usable processors: threads wait for each other")
        }
        placement.apply(to: &configuration)
        configuration.kvCacheType = cacheType.kvCacheType
        if let cacheMemory {
            try Limits.check(cacheMemory, 1...(1 << 30), "--cache-memory (MiB)")
            configuration.kvCacheBytes = cacheMemory << 20
        }
        try Limits.check(optimizeLevel, 0...3, "--optimize-level")
        configuration.optimizeLevel = optimizeLevel
        try Limits.check(draftTokens, 1...16, "--draft-tokens")
        for (option, isGiven) in [("--draft-tokens", draftTokens != nil), ("--draft-always", draftAlways)]
        where isGiven && speculation == .off {
            throw ValidationError("\(option): expected --speculation auto, mtp or ngram, found off")
        }
        configuration.speculation = speculation.speculation
        if let draftTokens { configuration.maxDraftTokens = draftTokens }
        configuration.draftsAlways = draftAlways
        return configuration
    }

    /// - Parameter keepsAnswers: a conversation follows, by one user: its turns are computed in the same order each time.
    func generator(for model: LoadedModel, keepsAnswers: Bool = false) throws -> TextGenerator {
        var configuration = try configuration()
        configuration.keepsAnswers = keepsAnswers
        let generator = try TextGenerator(model: model, configuration: configuration, onPageIn: PageInLine.report())
        if let note = generator.engine.note { Terminal.note("note: \(note)") }
        return generator
    }
}

/// Where threads and weights are before the first step.
struct PlacementOptions: ParsableArguments {
    @Option(
        help:
            "Binds threads: none, processors (one for each thread) or nodes (those of one memory node for each thread)."
    )
    var pin = PinningOption.none
    @Flag(
        inversion: .prefixedNo,
        help: "Read weights that are not in memory before the first step, if they all fit there.")
    var pageIn = true

    func apply(to configuration: inout EngineConfiguration) {
        configuration.pinning = pin.pinning
        configuration.pagesIn = pageIn
    }
}

/// What threads are bound to, as options name it.
enum PinningOption: String, ExpressibleByArgument, CaseIterable {
    case none, processors, nodes

    var pinning: Pinning {
        switch self {
        case .none: .none
        case .processors: .processors
        case .nodes: .nodes
        }
    }
}

/// Element types of the key/value cache, as options name them.
enum CacheType: String, ExpressibleByArgument, CaseIterable {
    case f32, f16, bf16, q8_0

    var kvCacheType: KVCacheType {
        switch self {
        case .f32: .float32
        case .f16: .float16
        case .bf16: .bfloat16
        case .q8_0: .q8_0
        }
    }
}

/// Sources of guesses, as options name them.
enum SpeculationOption: String, ExpressibleByArgument, CaseIterable {
    case off, auto, mtp, ngram

    var speculation: Speculation {
        switch self {
        case .off: .off
        case .auto: .auto
        case .mtp: .drafter
        case .ngram: .lookup
        }
    }
}

/// How answers are sampled. What is not given comes from the model's own recommendation.
struct SamplingOptions: ParsableArguments {
    @Option(help: "0 is greedy.")
    var temperature: Double?
    @Option(help: "Keep the K most probable tokens.")
    var topK: Int?
    @Option(help: "Keep the most probable tokens that sum to this.")
    var topP: Double?
    @Option(help: "Keep tokens at least this fraction as probable as the best one.")
    var minP: Double?
    @Option(help: "Makes sampling repeatable.")
    var seed: UInt64?
    @Option(name: [.customShort("n"), .long], help: "At most this many tokens.")
    var maxTokens: Int?

    func apply(to options: inout TextOptions) {
        options.sampling.temperature = temperature ?? options.sampling.temperature
        options.sampling.topK = topK ?? options.sampling.topK
        options.sampling.topP = topP ?? options.sampling.topP
        options.sampling.minP = minP ?? options.sampling.minP
        options.sampling.seed = seed
        options.stopping.maxTokens = maxTokens
    }
}
