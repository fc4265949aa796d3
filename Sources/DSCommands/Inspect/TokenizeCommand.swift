import ArgumentParser
import DSEngine
import DSModels
import DSSupport
import DSTokenizers
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `deepseek tokenize`: text to ids.
struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn text into token ids.",
        discussion: """
            TOKENIZER is a model or a tokenizer.json; `default` is the model inside this program. No special tokens are \
            added. With --input, each line is a JSON string and each output line a JSON array of ids; control tokens \
            written in the text are then taken as tokens, unless --plain.

            EXAMPLES
              deepseek tokenize default "What is 12 + 30?"
              deepseek tokenize tokenizer.json --input texts.jsonl --output ids.jsonl
            """)

    @Argument(help: "A model, a tokenizer.json, or `default`.", completion: .file())
    var tokenizer: String
    @Argument(help: "The text (`-`: standard input).")
    var text: String?
    @OptionGroup var files: LineFiles
    @Flag(help: "Show each token's text beside its id.")
    var pieces = false
    @Flag(help: "Do not take control tokens that are written in the text as tokens.")
    var plain = false

    func validate() throws {
        guard (text == nil) != (files.input == nil) else {
            throw ValidationError("expected either a text or --input")
        }
    }

    func run() throws {
        let tokenizer = try TokenizerPath.load(tokenizer)
        if let input = files.input {
            let bulk = BulkTokenizer(tokenizer, parseSpecial: !plain)
            try files.process(input) { bytes, write in try bulk.encode(lines: bytes, write: write) }
            return
        }
        let text = text == "-" ? try StandardInput.text() : text ?? ""
        let ids = try tokenizer.encode(text, parseSpecial: !plain)
        guard pieces else {
            Terminal.line(JSONValue.array(ids.map { .integer(Int64($0)) }).serializedString())
            return
        }
        var table = TextTable([("id", .right), ("text", .left)])
        for id in ids {
            table.add(["\(id)", String(decoding: try tokenizer.tokenBytes(id), as: UTF8.self).debugDescription])
        }
        Terminal.line(table.text)
    }
}

/// `deepseek detokenize`: ids to text.
struct DetokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detokenize",
        abstract: "Turn token ids into text.",
        discussion: """
            EXAMPLES
              deepseek detokenize default 17 230 4
              deepseek detokenize default "$(deepseek tokenize default 'What is 12 + 30?')"
              deepseek detokenize tokenizer.json --input ids.jsonl --output texts.jsonl
            """)

    @Argument(help: "A model, a tokenizer.json, or `default`.", completion: .file())
    var tokenizer: String
    @Argument(help: "Token ids, or arrays of them as `deepseek tokenize` prints them.")
    var ids: [TokenIDs] = []
    @OptionGroup var files: LineFiles
    @Flag(help: "Leave control tokens out.")
    var skipSpecial = false

    func validate() throws {
        guard ids.isEmpty != (files.input == nil) else { throw ValidationError("expected either ids or --input") }
    }

    func run() throws {
        let tokenizer = try TokenizerPath.load(tokenizer)
        if let input = files.input {
            let bulk = BulkTokenizer(tokenizer)
            try files.process(input) { bytes, write in
                try bulk.decode(lines: bytes, skipSpecial: skipSpecial, write: write)
            }
            return
        }
        Terminal.line(try tokenizer.decode(ids.flatMap(\.values), skipSpecial: skipSpecial))
    }
}

/// One token id, or a JSON array of them.
struct TokenIDs: ExpressibleByArgument {
    let values: [Int32]

    init?(argument: String) {
        if let id = Int32(argument) {
            values = [id]
            return
        }
        guard let ids = try? BulkTokenizer.ids(in: try JSONValue.parse(argument)) else { return nil }
        values = ids
    }
}

/// `--input` and `--output` of the bulk forms.
struct LineFiles: ParsableArguments {
    @Option(help: "File with a JSON value per line.", completion: .file(extensions: ["jsonl"]))
    var input: String?
    @Option(help: "Where the results go, a line each (default: standard output).")
    var output: String?

    func process(
        _ input: String, _ body: (UnsafeRawBufferPointer, (_ bytes: [UInt8]) throws -> Void) throws -> Void
    ) throws {
        let source = try MappedBytes(path: input)
        // The bytes are only valid while the file is mapped.
        defer { withExtendedLifetime(source) {} }
        guard let output else {
            try body(source.bytes) { try FileHandle.standardOutput.write(contentsOf: Data($0)) }
            return
        }
        try OutputPath.check(output, option: "--output")
        let target = OutputPath.resolved(output)
        // Readers never see half a result: it appears under its name when it is complete.
        let partial = target + ".partial"
        guard FileManager.default.createFile(atPath: partial, contents: nil) else {
            throw ValidationError("--output: cannot write \(partial)")
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: partial))
        do {
            try body(source.bytes) { try handle.write(contentsOf: Data($0)) }
            try handle.close()
            guard rename(partial, target) == 0 else {
                throw ValidationError("--output: cannot write \(output) (errno \(errno))")
            }
        } catch {
            try? handle.close()
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
    }
}

enum TokenizerPath {
    static func load(_ path: String) throws -> Tokenizer {
        guard path != "default" else { return try ModelTokenizer.make(LoadedModel.embedded().tokenizer) }
        let path = ModelPath.expanded(path)
        guard path.hasSuffix(".json") else { return try ModelTokenizer.make(LoadedModel.open(path: path).tokenizer) }
        let file = try MappedBytes(path: path)
        return try withExtendedLifetime(file) { try Tokenizer(json: JSONValue.parse(file.bytes)) }
    }
}
