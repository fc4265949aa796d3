import DSEngine
import DSGrammar
import DSSupport
import DSTokenizers
import Testing

/// Structured answers through tokenizer, template and parser, by a model that wants to say something else.
@Suite("Forced answers")
struct ForcedAnswerTests {
    static let tools: [JSONValue] = [
        [
            "type": "function",
            "function": [
                "name": "get_weather",
                "parameters": [
                    "type": "object",
                    "properties": [
                        "city": ["type": "string", "maxLength": 6],
                        "days": ["type": "integer", "maximum": 9, "minimum": 1],
                    ], "required": ["city", "days"],
                ],
            ],
        ],
        ["type": "function", "function": ["name": "stop"]],
    ]

    static func ask(_ constraint: AnswerConstraint, thinking: Bool) -> ChatRequest {
        var request = ModelTextTests.ask("hi", thinking: thinking)
        request.tools = Self.tools
        request.options.constraint = constraint
        request.options.sampling.temperature = 1
        request.options.sampling.seed = 5
        request.options.stopping.maxTokens = 400
        return request
    }

    @Test("A schema holds behind the thinking", arguments: [true, false])
    func schema(thinking: Bool) async throws {
        let generator = try Puppet.generator(says: "let me see</think>I would rather not")
        let schema: JSONValue = [
            "type": "object", "properties": ["ok": ["type": "boolean"], "n": ["enum": [1, 22]]],
            "required": ["ok", "n"],
        ]
        let constraint = AnswerConstraint(.text(.jsonSchema(JSONSchemaSource(schema))))
        var request = Self.ask(constraint, thinking: thinking)
        request.options.sampling = .greedy
        let (output, result) = try await generator.chat(request).collect()
        #expect(output.reasoning == (thinking ? "let me see" : ""))
        let value = try JSONValue.parse(output.content)
        #expect(value["ok"]?.boolValue != nil)
        #expect([1, 22].contains(value["n"]?.intValue))
        #expect(result.reason == .endOfSequence)
        await generator.engine.shutdown()
    }

    @Test("Forced calls are calls with valid arguments", arguments: [true, false])
    func calls(isParallel: Bool) async throws {
        let generator = try Puppet.generator(says: "no calls from me")
        let constraint = AnswerConstraint(.toolCalls(isParallel: isParallel), field: "tool_choice")
        let (output, result) = try await generator.chat(Self.ask(constraint, thinking: false)).collect()
        if result.reason == .endOfSequence { #expect(isParallel || output.toolCalls.count == 1) }
        #expect(!output.toolCalls.isEmpty)
        #expect(output.content.isEmpty)
        for call in output.toolCalls.dropLast(result.reason == .length ? 1 : 0) {
            let arguments = try JSONValue.parse(call.arguments)
            #expect(call.name == "get_weather" || call.name == "stop")
            if call.name == "get_weather" { #expect((1...9).contains(arguments["days"]?.intValue ?? 0)) }
        }
        await generator.engine.shutdown()
    }

    /// What the grammar of each dialect writes, its parser reads as calls, without a rest.
    @Test("Calls of every dialect are read by its parser", arguments: OutputDialect.allCases.filter { $0 != .plain })
    func dialects(dialect: OutputDialect) throws {
        let vocabulary = GrammarVocabulary(
            texts: (0..<256).map { [UInt8($0)] } + [Array("<end>".utf8)], controlTokens: [:], endTokens: [256])
        let grammar = try CompiledGrammar(
            ToolCallGrammar.source(Self.tools, dialect: dialect, isParallel: true), vocabulary: vocabulary)
        var read = 0
        for seed in UInt64(0)..<12 {
            var random = RandomText(seed: seed, patience: 40)
            let outcome = try random.next(grammar, limit: 4000)
            #expect(outcome.hasWayOn)
            guard outcome.isComplete else { continue }
            var parser = AnswerParser(dialect: dialect, inReasoning: false)
            var calls: [Int: (name: String, arguments: String)] = [:]
            for event in parser.push(outcome.text) + parser.finish() {
                guard case .toolCall(let index, let name, let arguments) = event else {
                    Issue.record("\(event) in \(String(decoding: outcome.text, as: UTF8.self))")
                    continue
                }
                calls[index, default: (name ?? "", "")].arguments += arguments
            }
            #expect(!calls.isEmpty)
            for call in calls.values {
                let arguments = try JSONValue.parse(call.arguments)
                if call.name == "get_weather" {
                    #expect((1...9).contains(arguments["days"]?.intValue ?? 0))
                    #expect((arguments["city"]?.stringValue?.unicodeScalars.count ?? 99) <= 6)
                } else {
                    #expect(call.name == "stop" && arguments.objectValue?.isEmpty == true)
                }
            }
            read += calls.count
        }
        #expect(read > 5)
    }

    @Test("A model without calls, and a schema that cannot be kept, are errors of the request")
    func refused() throws {
        #expect(throws: GrammarError.self) {
            try ToolCallGrammar.source(Self.tools, dialect: .plain, isParallel: false)
        }
        let generator = try Puppet.generator(says: "")
        let constraint = AnswerConstraint(
            .text(.jsonSchema(JSONSchemaSource(["uniqueItems": true]))), field: "response_format")
        let error = #expect(throws: EngineError.self) {
            try generator.chat(Self.ask(constraint, thinking: false))
        }
        #expect(error?.description.contains("uniqueItems") == true)
    }
}
