import ArgumentParser
import DSFormats
import DSKernels
import DSModels
import DSSupport
import DSTensor

/// `deepseek logits`: raw logits for given token ids, for parity work. Needs no tokenizer.
struct LogitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logits",
        abstract: "Write the logits of given token ids.",
        discussion: """
            --tokens is a file with a JSON array of ids. The output is a safetensors file with the F32 tensor `logits`, \
            [tokens, vocabulary]. --generate prints so many greedy ids as a JSON array.

            EXAMPLES
              deepseek logits ./tiny-v3 --tokens ids.json --output logits.safetensors --generate 64
            """)

    @OptionGroup var model: ModelArgument
    @Option(help: "File with a JSON array of token ids.", completion: .file(extensions: ["json"]))
    var tokens: String
    @Option(help: "The safetensors file to write.", completion: .file(extensions: ["safetensors"]))
    var output: String
    @Option(help: "Generate so many tokens greedily and print their ids.")
    var generate = 0
    @Option(name: [.short, .long], help: "Threads (default: one per usable processor).")
    var threads: Int?
    @Option(
        help:
            "Graph optimisation level, 0 (none) ... 3 (all). Up to 2 every activation is a Float32; 3, which run and the server use, rounds those of BF16 weights where the processor multiplies them so."
    )
    var optimizeLevel = 2
    @Flag(
        inversion: .prefixedNo,
        help: "Read weights that are not in memory before the first step, if they all fit there.")
    var pageIn = true

    func run() throws {
        try Limits.check(generate, 0...Limits.tokens, "--generate")
        try Limits.check(threads, 1...Limits.threads, "--threads")
        try OutputPath.check(output, option: "--output")
        let loaded = try model.load()
        let ids = try Self.ids(in: tokens, vocabulary: loaded.configuration.vocabularySize)
        var options = SimpleRunner.Options(capacity: ids.count + generate)
        options.threadCount = threads ?? Processors.usable
        guard let level = OptimizationLevelName.level(optimizeLevel) else {
            throw ValidationError("--optimize-level: expected 0...3, found \(optimizeLevel)")
        }
        options.level = level
        if pageIn, let note = PageIn.run(loaded.files, reservedBytes: 0, report: PageInLine.report()).note {
            Terminal.note("note: \(note)")
        }
        let runner = try SimpleRunner(loaded, options)
        var rows: [[Float]] = []
        let generated = try runner.generate(prompt: ids, count: generate, sampling: .all) { rows = $0 }
        var writer = SafetensorsWriter()
        let vocabulary = rows.first?.count ?? 0
        try writer.add(Tensor(rows.flatMap { $0 }, shape: [rows.count, vocabulary]), named: "logits")
        try writer.write(to: OutputPath.resolved(output))
        if generate > 0 {
            Terminal.line(JSONValue.array(generated.map { .integer(Int64($0)) }).serializedString())
        }
    }

    private static func ids(in path: String, vocabulary: Int) throws -> [Int32] {
        let value = try JSONFile.load(path, limit: 1 << 30)
        guard let items = value.arrayValue, !items.isEmpty else {
            throw ValidationError("\(path): expected a non-empty JSON array of token ids, found \(value.typeName)")
        }
        return try items.enumerated().map { index, item in
            guard let id = item.intValue, (0..<vocabulary).contains(id) else {
                throw ValidationError(
                    "\(path): element \(index): expected an id in 0..<\(vocabulary), found \(item.serializedString())")
            }
            return Int32(id)
        }
    }
}
