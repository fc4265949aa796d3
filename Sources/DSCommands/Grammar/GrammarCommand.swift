import ArgumentParser
import DSEngine
import DSGrammar
import DSModels
import DSSupport
import DSTokenizers
import Foundation

/// `deepseek grammar`: what a schema, pattern or grammar allows.
struct GrammarCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grammar",
        abstract: "Check schemas, patterns and grammars of structured output.",
        discussion: """
            SOURCE is the text of a JSON schema, a regular expression, a GBNF grammar, a JSON array of choices or a \
            structural tag; `@FILE` reads a file. With --input, each line is a JSON object {"schema" | "regex" | "grammar" | "choice" | \
            "json_object" | "structural_tag", "texts"} and each output line says how that one fared.

            EXAMPLES
              deepseek grammar schema '{"type": "object", "properties": {"age": {"type": "integer"}}}' --generate 3
              deepseek grammar regex '[a-z]+@[a-z]+\\.com' --test me@example.com
              deepseek grammar gbnf @list.gbnf --bench
              deepseek grammar schema @person.json --measure --model model.gguf --max-tokens 200
              deepseek grammar --input cases.jsonl --generate 5 --seed 1 > results.jsonl
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case schema, regex, gbnf, choice
        case structuralTag = "structural-tag"
    }

    @Argument(help: "What SOURCE is: schema, regex, gbnf, choice or structural-tag.")
    var kind: Kind?
    @Argument(help: "The source, or @FILE.")
    var source: String?
    @Option(help: "File with a case per line.", completion: .file(extensions: ["jsonl"]))
    var input: String?
    @Option(name: .shortAndLong, help: "The model, tokenizer.json or `default` whose tokens are used.")
    var tokenizer = "default"
    @Option(help: "Texts to test.")
    var test: [String] = []
    @Option(help: "Random texts to write, from the tokens' masks alone.")
    var generate = 0
    @Option(help: "Answers to let the built-in model write, by sampling, with speculation and after thinking.")
    var answers = 0
    @Option(help: "Tokens that a text or answer may have.")
    var maxTokens = 400
    @Option(help: "Seed of the texts and answers.")
    var seed: UInt64 = 0
    @Option(
        help:
            "White space of JSON: none, space (one after commas and colons, or none) or a number (up to so many anywhere)."
    )
    var whitespace = "space"
    @Flag(help: "Objects may have members that their schemas do not list.")
    var openObjects = false
    @Flag(help: "Measure masks over random texts.")
    var bench = false
    @Flag(help: "Measure what masks add to the steps of a model that answers under the grammar.")
    var measure = false
    @Option(help: "--measure: a model directory, a .gguf or a .ds file. Without it: the built-in model.")
    var model: String?
    @Option(help: "--measure: answers side by side.")
    var batch = 1
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (kind == nil) == (source == nil), (kind == nil) != (input == nil) else {
            throw ValidationError("expected either a kind and a source, or --input")
        }
        guard (1...256).contains(batch) else { throw ValidationError("--batch: expected 1...256, found \(batch)") }
        guard model == nil || measure else { throw ValidationError("--model: expected --measure beside it") }
        guard generate >= 0, answers >= 0, maxTokens > 0 else {
            throw ValidationError("--generate, --answers: expected 0 or more; --max-tokens: expected at least 1")
        }
        _ = try whitespaceValue()
    }

    func run() async throws {
        let workshop = try GrammarWorkshop(tokenizer: model ?? tokenizer)
        var answerer: GrammarAnswerer?
        if answers > 0 { answerer = try GrammarAnswerer() }
        if let input {
            for line in try String(contentsOfFile: input, encoding: .utf8).split(separator: "\n") {
                let item = Result { try JSONValue.parse(String(line)) }
                let wanted = (try? item.get()).map { texts(of: $0) } ?? []
                let result = try await report(workshop, answerer, { try source(of: item.get()) }, wanted)
                Terminal.line(result.serializedString())
            }
        } else {
            let result = try await report(workshop, answerer, { try commandSource() }, test)
            Terminal.line(json ? result.serializedString(.pretty) : Self.text(result))
            if result["error"] != nil { throw ExitCode.failure }
        }
        await answerer?.shutdown()
    }

    // MARK: Sources

    private func whitespaceValue() throws -> JSONWhitespace {
        switch whitespace {
        case "none": return .none
        case "space": return .optionalSpace
        default:
            guard let count = Int(whitespace), (0...64).contains(count) else {
                throw ValidationError("--whitespace: expected none, space or a number in 0...64, found '\(whitespace)'")
            }
            return .upTo(count)
        }
    }

    private func schema(_ value: JSONValue) throws -> GrammarSource {
        .jsonSchema(JSONSchemaSource(value, whitespace: try whitespaceValue(), closesObjects: !openObjects))
    }

    private func commandSource() throws -> GrammarSource {
        let text =
            try source.map { source in
                try source.hasPrefix("@")
                    ? String(contentsOfFile: String(source.dropFirst()), encoding: .utf8) : source
            } ?? ""
        switch kind {
        case .regex: return .regex(text)
        case .gbnf: return .gbnf(text)
        case .choice: return .choice(try JSONValue.parse(text).arrayValue?.compactMap(\.stringValue) ?? [])
        case .structuralTag: return .structuralTag(StructuralTagSource(try JSONValue.parse(text)))
        case .schema, nil: return try schema(JSONValue.parse(text))
        }
    }

    private func source(of item: JSONValue) throws -> GrammarSource {
        if let value = item["schema"] { return try schema(value) }
        if let pattern = item["regex"]?.stringValue { return .regex(pattern) }
        if let grammar = item["grammar"]?.stringValue { return .gbnf(grammar) }
        if let texts = item["choice"]?.arrayValue { return .choice(texts.compactMap(\.stringValue)) }
        if let tag = item["structural_tag"] { return .structuralTag(StructuralTagSource(tag)) }
        if item["json_object"] != nil { return .jsonObject(try whitespaceValue()) }
        throw ValidationError(
            "--input: expected schema, regex, grammar, choice, json_object or structural_tag in each line")
    }

    private func texts(of item: JSONValue) -> [String] { item["texts"]?.arrayValue?.compactMap(\.stringValue) ?? [] }

    // MARK: Reports

    private func report(
        _ workshop: GrammarWorkshop, _ answerer: GrammarAnswerer?, _ source: () throws -> GrammarSource,
        _ texts: [String]
    ) async throws -> JSONValue {
        do {
            let source = try source()
            var result = JSONObject()
            let (grammar, seconds) = try workshop.compile(source)
            result["compile_ms"] = .number(seconds * 1e3)
            if !texts.isEmpty {
                result["accepted"] = .array(try texts.map { .bool(try workshop.accepts(grammar, $0)) })
            }
            if generate > 0 {
                result["texts"] = .array(
                    try workshop.texts(grammar, count: generate, limit: maxTokens, seed: seed))
            }
            if let answerer {
                result["answers"] = .array(
                    try await answerer.answers(source, count: answers, maxTokens: maxTokens, seed: seed))
            }
            if bench { result["bench"] = try workshop.bench(source, seed: seed) }
            if measure {
                let measurement = try ConstraintMeasurement(
                    try ModelPath.load(model), batch: batch, tokens: maxTokens, seed: seed)
                result["measure"] = try await measurement.run(source)
            }
            let size = grammar.size
            result["size"] = [
                "terms": .integer(Int64(size.terms)), "states": .integer(Int64(size.states)),
                "masks": .integer(Int64(size.masks)), "walks": .integer(Int64(size.walks)),
                "byte_classes": .integer(Int64(size.byteClasses)),
                "compile_work": .integer(Int64(size.compileWork)),
                "largest_step_work": .integer(Int64(size.largestStepWork)), "bytes": .integer(Int64(size.bytes)),
            ]
            return .object(result)
        } catch let error as GrammarError {
            return ["error": .text(error.description)]
        } catch let error as EngineError {
            return ["error": .text(error.description)]
        } catch let error as JSONError {
            return ["error": .text(error.description)]
        }
    }

    private static func text(_ result: JSONValue) -> String {
        guard let object = result.objectValue else { return "" }
        return object.members.map { member in
            let lines = member.value.arrayValue?.map { $0.serializedString() } ?? [member.value.serializedString()]
            return lines.count == 1
                ? "\(member.key.string): \(lines[0])" : "\(member.key.string):\n  " + lines.joined(separator: "\n  ")
        }.joined(separator: "\n")
    }
}
