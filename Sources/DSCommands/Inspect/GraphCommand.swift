import ArgumentParser
import DSGraph
import DSKernels
import DSModels
import DSSupport
import DSTensor

/// `deepseek graph`: the network as a graph, before and after the optimiser.
struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Show a model's graph and what the optimiser does to it.",
        discussion: """
            EXAMPLES
              deepseek graph --explain
              deepseek graph model.gguf --explain --optimize-level 3 --decode-rows 8
              deepseek graph --dot --scope layers.1 | dot -Tsvg > layer.svg
            """)

    @OptionGroup var model: ModelArgument
    @Flag(help: "What each pass did and saved, and what a plan costs.")
    var explain = false
    @Flag(help: "A drawing in Graphviz's language.")
    var dot = false
    @Option(help: "Draw this scope only, such as layers.1.")
    var scope: String?
    @Option(help: "Graph optimisation level, 0 (none) ... 3 (all).")
    var optimizeLevel = 3
    @Option(help: "Prompt rows of the plan to explain.")
    var promptRows = 0
    @Option(help: "Generated rows (sequences that decode) of the plan to explain.")
    var decodeRows = 1
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try Limits.check(promptRows, 0...Limits.tokens, "--prompt-rows")
        try Limits.check(decodeRows, 0...Limits.tokens, "--decode-rows")
        guard promptRows + decodeRows > 0 else {
            throw ValidationError("--prompt-rows and --decode-rows: expected at least one row")
        }
        guard scope == nil || dot else { throw ValidationError("--scope: expected together with --dot") }
        guard !dot || !json else { throw ValidationError("expected one of --dot and --json, found both") }
    }

    func run() throws {
        guard let level = OptimizationLevelName.level(optimizeLevel) else {
            throw ValidationError("--optimize-level: expected 0...3, found \(optimizeLevel)")
        }
        let loaded = try model.load()
        let traced = try loaded.architecture.graph(TraceOptions(cacheType: .f32))
        let result = try PassPipeline(level: level, verifyBetweenPasses: true).run(traced)
        if dot {
            if let scope, !result.graph.drawnScopes.contains(where: { $0.hasPrefix(scope) }) {
                let known = result.graph.drawnScopes.joined(separator: ", ")
                throw ValidationError("--scope: expected the start of one of \(known), found \(scope)")
            }
            Terminal.line(result.graph.dot(scope: scope))
            return
        }
        let backend = try CPUBackend(kernels: KernelSet.selected(), pool: ThreadPool(threadCount: 1))
        let executor = try Executor(graph: result.graph, backend: backend)
        let sizes = DimSizes(
            promptTokens: promptRows, decodeTokens: decodeRows, contextRows: promptRows,
            sampledRows: max(decodeRows, 1))
        let explanation = GraphExplanation(traced: traced, result: result, plan: try executor.plan(for: sizes))
        if json {
            Terminal.line(explanation.json.serializedString(.pretty))
        } else {
            Terminal.line(explain ? explanation.text : explanation.listing)
        }
    }
}
