import DSEngine
import Testing

/// A tokenizer of letters: token t is the t-th entry, which may be a part of a character or several characters.
struct LetterTokenizer: TextTokenizer {
    static let pieces: [[UInt8]] =
        (0..<26).map { [UInt8(97 + $0)] } + (0..<26).map { [UInt8(65 + $0)] }
        + [[0x20], [0xE4], [0xBD, 0xA0], Array("<think>".utf8), Array("</think>".utf8), Array("STOP".utf8)]

    static let space: Int32 = 52
    static let split: [Int32] = [53, 54]
    static let open: Int32 = 55
    static let close: Int32 = 56
    static let stop: Int32 = 57

    func encode(
        _ text: String, addsSpecialTokens: Bool, parsesControlTokens: Bool
    ) throws(EngineError) -> [Int32] {
        var ids: [Int32] = []
        for byte in text.utf8 {
            guard let id = Self.pieces.firstIndex(of: [byte]) else { throw .promptFailure("no letter: \(byte)") }
            ids.append(Int32(id))
        }
        return ids
    }

    func makeDecoder(showsControlTokens: Bool) -> any TextDecoder { LetterDecoder() }

    func bytes(of token: Int32) -> [UInt8] { token < Self.pieces.count ? Self.pieces[Int(token)] : [] }
}

struct LetterDecoder: TextDecoder {
    var pending: [UInt8] = []

    mutating func push(_ token: Int32) -> [UInt8] {
        pending += token < LetterTokenizer.pieces.count ? LetterTokenizer.pieces[Int(token)] : []
        if pending.last == 0xE4 { return [] }
        defer { pending = [] }
        return pending
    }

    mutating func finish() -> [UInt8] { pending.isEmpty ? [] : Array("\u{FFFD}".utf8) }
}

/// Thinking between marks, whole marks in one piece.
struct MarkParser: OutputParser {
    var isReasoning = false

    mutating func push(_ text: [UInt8]) -> [OutputPiece] {
        switch String(decoding: text, as: UTF8.self) {
        case "": return []
        case "<think>": isReasoning = true
        case "</think>": isReasoning = false
        case let text: return [isReasoning ? .reasoning(text) : .content(text)]
        }
        return []
    }

    mutating func finish() -> [OutputPiece] { [] }
}

@Suite("Text")
struct TextTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var tokens: [Int32]
        var stops: [String] = []
        var includesStop = false
        var minTokens = 0
        var isTerminated = false
        var content = ""
        var reasoning = ""
        var stop: String?
        var consumed: Int
        var reasoningTokens = 0
    }

    static let cases = [
        Case(testDescription: "plain", tokens: [7, 8], content: "hi", consumed: 2),
        Case(
            testDescription: "a split character", tokens: [0] + LetterTokenizer.split + [1], content: "a你b", consumed: 4
        ),
        Case(testDescription: "half a character at the end", tokens: [0, 53], content: "a\u{FFFD}", consumed: 2),
        Case(
            testDescription: "a terminator is no text", tokens: [0, 1], isTerminated: true, content: "a", consumed: 2),
        Case(
            testDescription: "a stop string over three tokens", tokens: [0, 2, 3, 4, 5], stops: ["cde"], content: "a",
            stop: "cde", consumed: 4),
        Case(
            testDescription: "part of a token", tokens: [0, LetterTokenizer.stop, 1], stops: ["TO"], content: "aS",
            stop: "TO", consumed: 2),
        Case(
            testDescription: "included", tokens: [0, 2, 3, 4], stops: ["cd"], includesStop: true, content: "acd",
            stop: "cd", consumed: 3),
        Case(
            testDescription: "not before minTokens", tokens: [2, 3, 0, 2, 3, 1], stops: ["cd"], minTokens: 2,
            content: "cda", stop: "cd", consumed: 5),
        Case(
            testDescription: "held back and released at the end", tokens: [0, 2, 3], stops: ["cde"], content: "acd",
            consumed: 3),
        Case(
            testDescription: "reasoning", tokens: [55, 0, 1, 56, 2], content: "c", reasoning: "ab", consumed: 5,
            reasoningTokens: 3),
    ]

    @Test("Tokens become text", arguments: cases)
    func assembler(test: Case) {
        var options = TextOptions()
        options.stopStrings = test.stops
        options.includesStopString = test.includesStop
        options.stopping.minTokens = test.minTokens
        var assembler = TextAssembler(
            decoder: LetterDecoder(), parser: MarkParser(), options: options, promptTokens: 9)
        var output = GenerationDelta()
        var stop: String?
        for (index, token) in test.tokens.enumerated() where stop == nil {
            let isLast = index == test.tokens.count - 1
            let step = assembler.push(GeneratedToken(id: token, isTerminator: test.isTerminated && isLast))
            output.append(step.delta)
            stop = step.stop
        }
        if stop == nil {
            let end = assembler.finish()
            output.append(end.delta)
            stop = end.stop
        }
        #expect(output.content == test.content)
        #expect(output.reasoning == test.reasoning)
        #expect(stop == test.stop)
        #expect(output.tokens.count == test.consumed)
        #expect(
            assembler.usage
                == TokenUsage(
                    promptTokens: 9, completionTokens: test.consumed, reasoningTokens: test.reasoningTokens))
    }

    static func generator(_ change: (inout EngineConfiguration) -> Void = { _ in }) throws -> TextGenerator {
        TextGenerator(engine: try EngineTests.engine(ScriptedModelRunner(), change), tokenizer: LetterTokenizer())
    }

    /// What the scripted model says after "ab".
    static func answer(_ count: Int) -> String {
        let tokens = ScriptedModelRunner.continuation([0, 1], count: count)
        return String(decoding: tokens.flatMap { LetterTokenizer().bytes(of: $0) }, as: UTF8.self)
    }

    @Test("A stop string ends the request and frees its blocks")
    func stopString() async throws {
        // A small channel: the engine cannot be done before the stop string is read.
        let generator = try Self.generator { $0.streamCapacity = 8 }
        let full = Self.answer(60)
        let stop = String(full.dropFirst(20).prefix(4))
        var request = TextRequest(.text("ab"))
        request.options.sampling = .greedy
        request.options.stopping.maxTokens = 200
        request.options.stopStrings = ["never written", stop]
        let (output, result) = try await generator.generate(request).collect()
        #expect(result.reason == .stopString(stop))
        #expect(full.hasPrefix(output.content + stop))
        #expect(!output.content.contains(stop))
        while generator.engine.statistics().usedBlocks > 0 { await Task.yield() }
        #expect(generator.engine.statistics().finishedRequests == 1)
        #expect(generator.engine.statistics().cancelledRequests == 0)
        await generator.engine.shutdown()
    }

    @Test("A request that broke off says what was computed for it, read or not")
    func settling() async throws {
        // A small channel: the engine cannot be done before the request is cancelled.
        let generator = try Self.generator { $0.streamCapacity = 8 }
        var request = TextRequest(.text("ab"))
        request.options.sampling = .greedy
        request.options.stopping.maxTokens = 200
        let stream = try generator.generate(request)
        var iterator = stream.makeAsyncIterator()
        _ = try await iterator.next()
        let result = await stream.settle()
        #expect(result.reason == .cancelled)
        #expect(result.usage.promptTokens == 2 && (1..<200).contains(result.usage.completionTokens))
        #expect(generator.engine.statistics().generatedTokens == result.usage.completionTokens)
        #expect(await stream.settle() == result)
        // One that ended by itself is settled at once.
        request.options.stopping.maxTokens = 5
        let whole = try generator.generate(request)
        _ = try await whole.collect()
        #expect(await whole.settle().usage == TokenUsage(promptTokens: 2, completionTokens: 5))
        await generator.engine.shutdown()
    }

    @Test func textToText() async throws {
        let generator = try Self.generator()
        var request = TextRequest(.text("ab"))
        request.options.sampling = .greedy
        request.options.stopping.maxTokens = 30
        request.options.logprobs = 2
        let (output, result) = try await generator.generate(request).collect()
        #expect(output.content == Self.answer(30))
        #expect(output.tokens.count == 30 && output.tokens.allSatisfy { $0.alternatives.count == 2 })
        #expect(result.reason == .length)
        #expect(result.usage == TokenUsage(promptTokens: 2, completionTokens: 30))
        await generator.engine.shutdown()
    }

    @Test func refusals() throws {
        let generator = try Self.generator()
        var request = TextRequest(.text("ab"))
        request.options.stopStrings = [""]
        #expect(
            throws: EngineError.invalidParameter(field: "stop", expected: "strings that are not empty", found: "\"\"")
        ) {
            _ = try generator.generate(request)
        }
        request.options.stopStrings = Array(repeating: "x", count: 65)
        #expect(throws: EngineError.self) { _ = try generator.generate(request) }
        #expect(throws: EngineError.self) {
            _ = try generator.chat(ChatRequest(messages: [ChatMessage(role: "user", content: "hi")]))
        }
    }
}
