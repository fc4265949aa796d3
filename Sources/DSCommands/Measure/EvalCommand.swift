import ArgumentParser
import DSEngine
import DSEvaluation
import DSModels
import DSSupport
import DSTensor
import Foundation

/// `deepseek eval`: accuracy on tasks whose answers can be checked, and perplexity.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a model's accuracy and perplexity.",
        discussion: """
            Without --tasks and --text, the tasks and texts of the built-in model are used (none of them was trained on). \
            Answers are greedy. docs/default-model.md describes the task files.

            EXAMPLES
              deepseek eval
              deepseek eval model.gguf --tasks my-tasks.jsonl --failures failures.jsonl --json
            """)

    @OptionGroup var model: ModelArgument
    @OptionGroup var engine: EngineOptions
    @Option(help: "A task file, JSONL; may be given several times.", completion: .file(extensions: ["jsonl"]))
    var tasks: [String] = []
    @Option(help: "A text file for the perplexity, a document per line.", completion: .file())
    var text: String?
    @Option(help: "Only items of this task; may be given several times.")
    var only: [String] = []
    @Option(help: "At most this many tokens per answer.")
    var maxTokens = 640
    @Option(help: "Items asked at the same time.")
    var concurrency = 16
    @Option(help: "Write the items that failed, with the model's answers, as JSONL.")
    var failures: String?
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try Limits.check(concurrency, 1...Limits.sequences, "--concurrency")
        try Limits.check(maxTokens, 1...Limits.tokens, "--max-tokens")
        // Told now rather than after hours of work.
        if let failures { try OutputPath.check(failures, option: "--failures") }
        if let text, !FileManager.default.isReadableFile(atPath: text) {
            throw ValidationError("--text: expected a readable file, found none at \(text)")
        }
    }

    func run() async throws {
        let items = try self.items()
        let loaded = try model.load()
        var configuration = try engine.configuration()
        configuration.copiesWeightsFirst = true
        if configuration.kvCacheBytes == nil {
            let context = min(loaded.configuration.maximumContext, 4096) * concurrency
            configuration.kvCacheBytes =
                context * ModelSummary(loaded).cacheBytesPerToken(configuration.kvCacheType.dtype)
        }
        let generator = try TextGenerator(
            model: loaded, configuration: configuration, onPageIn: PageInLine.report())
        if let note = generator.engine.note { Terminal.note("note: \(note)") }
        let evaluation = Evaluation(generator: generator, maxTokens: maxTokens, concurrency: concurrency)
        var progress = ProgressLine("items", total: max(items.count, 1), unit: "items")
        let start = ContinuousClock.now
        let outcomes = try await evaluation.run(items) { progress.update($0) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let statistics = generator.engine.statistics()
        let perplexities = try await perplexities(evaluation, loaded)
        let report = EvalReport(
            model: loaded.name, scores: Evaluation.scores(outcomes), perplexities: perplexities,
            tokens: outcomes.reduce(0) { $0 + $1.completionTokens }, seconds: seconds,
            decodedTokens: outcomes.reduce(0) { $0 + max(0, $1.completionTokens - 1) },
            decodingSeconds: outcomes.reduce(0) { $0 + $1.decodingSeconds }, statistics: statistics)
        Terminal.line(json ? report.json.serializedString(.pretty) : report.table)
        try writeFailures(outcomes)
        await generator.engine.shutdown()
    }

    private func items() throws -> [EvaluationItem] {
        var items: [EvaluationItem] = []
        for path in tasks {
            let data: Data
            do {
                data = try Data(contentsOf: URL(fileURLWithPath: path))
            } catch {
                throw EvaluationError.unreadable(path: path, reason: "\(error.localizedDescription)")
            }
            let read = try EvaluationItem.read(Array(data), source: path)
            guard !read.isEmpty else {
                throw ValidationError("--tasks: expected an item per line, found none in \(path)")
            }
            items += read
        }
        if tasks.isEmpty, text == nil || !only.isEmpty { items = try BuiltInTasks.items() }
        guard !only.isEmpty else { return items }
        let known = Set(items.map(\.task))
        for task in only where !known.contains(task) {
            throw ValidationError(
                "--only: expected one of \(known.sorted().joined(separator: ", ")), found \(task)")
        }
        return items.filter { only.contains($0.task) }
    }

    /// English and Chinese separately for the built-in texts.
    private func perplexities(
        _ evaluation: Evaluation, _ model: LoadedModel
    ) async throws -> [(name: String, value: Double)] {
        guard only.isEmpty, tasks.isEmpty || text != nil else { return [] }
        let begin = model.configuration.beginToken.map { Int32($0) }
        let end = model.configuration.endTokens.first.map { Int32($0) }
        if let text {
            guard let content = try? String(contentsOfFile: text, encoding: .utf8) else {
                throw ValidationError("--text: expected a file of UTF-8 text, found other bytes at \(text)")
            }
            let documents = content.split(separator: "\n").map(String.init)
            guard !documents.isEmpty else {
                throw ValidationError("--text: expected a document per line, found none in \(text)")
            }
            return [(text, try await evaluation.perplexity(documents, begin: begin, end: end))]
        }
        let documents = BuiltInTasks.documents()
        func isEnglish(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }
        return [
            ("English", try await evaluation.perplexity(documents.filter(isEnglish), begin: begin, end: end)),
            ("Chinese", try await evaluation.perplexity(documents.filter { !isEnglish($0) }, begin: begin, end: end)),
        ]
    }

    private func writeFailures(_ outcomes: [Evaluation.Outcome]) throws {
        guard let failures else { return }
        let lines = outcomes.filter { !$0.isCorrect }.map { outcome in
            let object: JSONValue = [
                "id": .text(outcome.item.id), "task": .text(outcome.item.task),
                "messages": .array(outcome.item.messages), "reasoning": .text(outcome.reasoning),
                "answer": .text(outcome.answer),
            ]
            return object.serializedString() + "\n"
        }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: OutputPath.resolved(failures)), options: .atomic)
    }
}

/// The result of an evaluation as a table or as JSON.
struct EvalReport {
    let model: String
    let scores: [Evaluation.TaskScore]
    let perplexities: [(name: String, value: Double)]
    let tokens: Int
    let seconds: Double
    /// Tokens after the first of each answer, and what they took.
    let decodedTokens: Int
    let decodingSeconds: Double
    /// The engine's, after the answers.
    let statistics: EngineStatistics

    private var total: Evaluation.TaskScore {
        scores.reduce(into: Evaluation.TaskScore(task: "all")) { total, score in
            total.correct += score.correct
            total.count += score.count
        }
    }

    var table: String {
        var table = TextTable([("task", .left), ("correct", .right), ("items", .right), ("accuracy", .right)])
        for score in scores + (scores.isEmpty ? [] : [total]) {
            table.add([
                score.task, "\(score.correct)", "\(score.count)", "\(Units.decimal(100 * score.accuracy, 1)) %",
            ])
        }
        var lines = scores.isEmpty ? [] : [table.text, ""]
        lines += perplexities.map { "perplexity, \($0.name): \(Units.decimal($0.value, 3))" }
        if tokens > 0 {
            let rate = Double(tokens) / seconds
            lines.append("\(tokens) tokens in \(Units.decimal(seconds, 1)) s (\(Units.decimal(rate, 0)) tokens/s)")
        }
        if decodingSeconds > 0 {
            let rate = Double(decodedTokens) / decodingSeconds
            lines.append("each answer after its first token: \(Units.decimal(rate, 0)) tokens/s")
        }
        if statistics.draftTokens > 0 {
            let (drafted, accepted) = (statistics.draftTokens, statistics.acceptedDraftTokens)
            let share = 100 * Double(accepted) / Double(drafted)
            lines.append(
                "speculation: \(accepted) of \(drafted) guessed tokens right (\(Units.decimal(share, 1)) %), \(statistics.steps) steps"
            )
        }
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        func score(_ score: Evaluation.TaskScore) -> JSONValue {
            [
                "task": .text(score.task), "correct": .integer(Int64(score.correct)),
                "items": .integer(Int64(score.count)), "accuracy": .number(score.accuracy),
            ]
        }
        return [
            "model": .text(model), "tasks": .array(scores.map(score)), "all": score(total),
            "perplexity": .object(JSONObject(perplexities.map { (JSONString($0.name), .number($0.value)) })),
            "completion_tokens": .integer(Int64(tokens)), "seconds": .number(seconds),
            "decoded_tokens": .integer(Int64(decodedTokens)), "decoding_seconds": .number(decodingSeconds),
            "steps": .integer(Int64(statistics.steps)),
            "speculation": [
                "drafts": .integer(Int64(statistics.drafts)),
                "draft_tokens": .integer(Int64(statistics.draftTokens)),
                "accepted_tokens": .integer(Int64(statistics.acceptedDraftTokens)),
                "accepted_tokens_by_position": .array(
                    statistics.acceptedDraftTokensByPosition.map { .integer(Int64($0)) }),
            ],
        ]
    }
}
