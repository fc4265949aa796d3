import ArgumentParser
import DSEngine
import DSGraph
import DSKernels
import DSModels
import DSSupport
import DSTensor

/// `deepseek info`: what a model is and what it needs.
struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show a model's architecture, size and memory needs.",
        discussion: """
            EXAMPLES
              deepseek info
              deepseek info model.gguf --context 32768 --sequences 8 --json
            """)

    @OptionGroup var model: ModelArgument
    @Option(help: "Context, in tokens, for which to state the memory needed (default: 4096 or the model's maximum).")
    var context: Int?
    @Option(help: "Sequences of that context at the same time.")
    var sequences = 1
    @Option(help: "Element type of the key/value cache: f32, f16, bf16 or q8_0.")
    var cacheType = CacheType.f16
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try Limits.check(sequences, 1...Limits.sequences, "--sequences")
        try Limits.check(context, 1...Limits.tokens, "--context")
    }

    func run() throws {
        let loaded = try model.load()
        try cacheType.kvCacheType.check(loaded)
        let summary = ModelSummary(loaded)
        let copies = try loaded.layoutBytes(KernelSet.selected())
        let configuration = summary.configuration
        let context = context ?? min(4096, configuration.maximumContext)
        guard context <= configuration.maximumContext else {
            throw ValidationError(
                "--context: expected at most the model's \(configuration.maximumContext), found \(context)")
        }
        let object = facts(summary, context: context, copies: copies)
        if json {
            Terminal.line(JSONValue.object(object).serializedString(.pretty))
        } else {
            printTable(summary, context: context, copies: copies)
        }
    }

    private func facts(_ summary: ModelSummary, context: Int, copies: Int) -> JSONObject {
        let configuration = summary.configuration
        let inventory = summary.inventory
        func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }
        let members: [(JSONString, JSONValue)] = [
            ("model", .text(summary.name)), ("architecture", .text(configuration.architecture)),
            ("layers", integer(configuration.layerCount)), ("hidden_size", integer(configuration.hiddenSize)),
            ("heads", integer(configuration.attention.heads)),
            ("vocabulary_size", integer(configuration.vocabularySize)),
            ("maximum_context", integer(configuration.maximumContext)),
            ("parameters", integer(inventory.parameters)), ("active_parameters", integer(inventory.activeParameters)),
            ("draft_parameters", integer(inventory.draftParameters)), ("weight_bytes", integer(inventory.bytes)),
            ("converted_bytes", integer(inventory.convertedBytes)),
            ("cache_bytes_per_token", integer(summary.cacheBytesPerToken(cacheType.kvCacheType.dtype))),
            ("draft_cache_bytes_per_token", integer(summary.draftCacheBytesPerToken(cacheType.kvCacheType.dtype))),
            ("context", integer(context)), ("sequences", integer(sequences)),
            ("memory_bytes", integer(memory(summary, context))), ("layout_bytes", integer(copies)),
        ]
        var object = JSONObject(members)
        if let experts = configuration.experts {
            object.insert("experts", integer(experts.routing.expertCount))
            object.insert("experts_per_token", integer(experts.routing.topK))
            object.insert("shared_experts", integer(experts.sharedCount))
        }
        let types = inventory.bytesByType.sorted { $0.value > $1.value }
        object.insert(
            "bytes_by_type", .object(JSONObject(types.map { (JSONString($0.key.description), integer($0.value)) })))
        return object
    }

    private func memory(_ summary: ModelSummary, _ context: Int) -> Int {
        summary.memoryBytes(context: context, sequences: sequences, cacheType: cacheType.kvCacheType.dtype)
    }

    private func printTable(_ summary: ModelSummary, context: Int, copies: Int) {
        let configuration = summary.configuration
        let inventory = summary.inventory
        var table = TextTable([("model", .left), (summary.name, .left)])
        table.add(["architecture", configuration.architecture])
        table.add(["layers × hidden size", "\(configuration.layerCount) × \(configuration.hiddenSize)"])
        table.add(["attention", attentionText(configuration.attention)])
        if let experts = configuration.experts {
            table.add([
                "experts",
                "\(experts.routing.expertCount) routed, \(experts.routing.topK) per token, \(experts.sharedCount) shared",
            ])
        }
        table.add(["vocabulary", "\(configuration.vocabularySize)"])
        table.add(["longest context", "\(configuration.maximumContext) tokens"])
        table.add([
            "parameters",
            "\(Units.count(inventory.parameters)) (\(Units.count(inventory.activeParameters)) read per token)",
        ])
        if summary.hasDraft {
            table.add(["draft (MTP) layer", "\(Units.count(inventory.draftParameters)) parameters"])
        }
        let types = inventory.bytesByType.sorted { $0.value > $1.value }
            .map { "\($0.key) \(Units.bytes($0.value))" }.joined(separator: ", ")
        table.add(["weights", "\(Units.bytes(inventory.bytes)), mapped (\(types))"])
        if inventory.convertedBytes > 0 {
            table.add(["copies made at load", Units.bytes(inventory.convertedBytes)])
        }
        table.add([
            "cache per token",
            "\(Units.bytes(summary.cacheBytesPerToken(cacheType.kvCacheType.dtype))) (\(cacheType.rawValue))"
                + (summary.hasDraft
                    ? ", and \(Units.bytes(summary.draftCacheBytesPerToken(cacheType.kvCacheType.dtype))) for its own guesses"
                    : ""),
        ])
        let sequenceText = sequences == 1 ? "" : " × \(sequences) sequences"
        table.add(["memory for \(context) tokens\(sequenceText)", Units.bytes(memory(summary, context))])
        if copies > 0 {
            table.add(["with --optimize-level 3", "\(Units.bytes(copies)) more (the default where it fits)"])
        }
        Terminal.line(table.text)
    }

    private func attentionText(_ attention: ModelConfiguration.Attention) -> String {
        switch attention {
        case .grouped(let grouped):
            return "\(grouped.heads) heads, \(grouped.kvHeads) key/value heads, \(grouped.headDimension) wide"
        case .latent(let latent):
            let query = latent.queryRank.map { ", query rank \($0)" } ?? ""
            return "latent (MLA): \(latent.heads) heads, cache \(latent.latentRank) + \(latent.ropeDimension)\(query)"
        }
    }
}
