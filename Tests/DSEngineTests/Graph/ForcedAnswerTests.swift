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
                        "days": ["$ref": "#/$defs/Days"],
                    ], "required": ["city", "days"],
                    "$defs": ["Days": ["type": "integer", "maximum": 9, "minimum": 1]],
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

    static let answer: JSONValue = [
        "type": "object", "properties": ["ok": ["type": "boolean"]], "required": ["ok"], "additionalProperties": false,
    ]
    static let textOrCalls = AnswerConstraint(
        .textOrToolCalls(.jsonSchema(JSONSchemaSource(answer)), isParallel: true), field: "response_format")

    /// One grammar of both, for each dialect: what the model begins with decides.
    @Test(
        "A text that follows a schema, or calls: nothing else",
        arguments: OutputDialect.allCases.filter { $0 != .plain })
    func textOrCalls(dialect: OutputDialect) throws {
        let vocabulary = GrammarVocabulary(
            texts: (0..<256).map { [UInt8($0)] } + [Array("<end>".utf8)], controlTokens: [:], endTokens: [256])
        let calls = try ToolCallGrammar.source(Self.tools, dialect: dialect, isParallel: true)
        let text = GrammarSource.jsonSchema(JSONSchemaSource(Self.answer))
        func accepts(_ grammar: CompiledGrammar, _ text: some Sequence<UInt8>) throws -> Bool {
            var matcher = GrammarMatcher(grammar)
            return try matcher.accept(bytes: text) && matcher.isComplete
        }
        let alone = try CompiledGrammar(calls, vocabulary: vocabulary)
        let both = try CompiledGrammar(.either([calls, text]), vocabulary: vocabulary)
        #expect(try accepts(both, #"{"ok": true}"#.utf8))
        for prose in ["", "Let me see.", "true", #"{"ok": 1}"#, #"{"ok": true} "#, "{}"] {
            #expect(try !accepts(both, prose.utf8), "\(prose)")
        }
        var taken = 0
        for seed in UInt64(0)..<6 {
            var random = RandomText(seed: seed, patience: 40)
            let outcome = try random.next(alone, limit: 4000)
            guard outcome.isComplete else { continue }
            #expect(try accepts(both, outcome.text))
            #expect(try !accepts(both, outcome.text + [0x7B]))
            taken += 1
        }
        #expect(taken > 2)
    }

    static let call =
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>stop<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"

    @Test("Beside tools, a format leaves the choice to the model", arguments: [true, false])
    func choice(thinking: Bool) async throws {
        let thoughts = thinking ? "hm</think>" : ""
        for (says, calls) in [(Self.call, 1), (#"{"ok": false}"#, 0)] {
            let generator = try Puppet.generator(says: thoughts + says)
            var request = Self.ask(Self.textOrCalls, thinking: thinking)
            request.options.sampling = .greedy
            let (output, result) = try await generator.chat(request).collect()
            #expect(output.toolCalls.count == calls)
            #expect(output.toolCalls.allSatisfy { $0.name == "stop" && $0.arguments == "{}" })
            #expect(output.content == (calls == 0 ? says : ""))
            #expect(output.reasoning == (thinking ? "hm" : ""))
            #expect(result.reason == .endOfSequence)
            await generator.engine.shutdown()
        }
        let generator = try Puppet.generator(says: "I would rather talk")
        let (output, result) = try await generator.chat(Self.ask(Self.textOrCalls, thinking: false)).collect()
        #expect(result.reason != .endOfSequence || output.toolCalls.isEmpty != output.content.isEmpty)
        if result.reason == .endOfSequence, output.toolCalls.isEmpty {
            #expect(try JSONValue.parse(output.content)["ok"]?.boolValue != nil)
        }
        await generator.engine.shutdown()
    }

    @Test("What a tool's schema has wrong is the tools' fault, what the format has wrong the format's")
    func faults() throws {
        let generator = try Puppet.generator(says: "")
        var request = Self.ask(Self.textOrCalls, thinking: false)
        request.tools = [["type": "function", "function": ["name": "f", "parameters": ["uniqueItems": true]]]]
        let tools = #expect(throws: EngineError.self) { try generator.chat(request) }
        #expect(tools?.description.contains("'tools'") == true)
        request.tools = Self.tools
        request.options.constraint?.form = .textOrToolCalls(.regex("("), isParallel: true)
        let format = #expect(throws: EngineError.self) { try generator.chat(request) }
        #expect(format?.description.contains("'response_format'") == true)
    }

    @Test(
        "An error of a tool's schema names the tool and the place",
        arguments: OutputDialect.allCases.filter { $0 != .plain })
    func namesTheTool(dialect: OutputDialect) throws {
        let vocabulary = GrammarVocabulary(
            texts: (0..<256).map { [UInt8($0)] } + [Array("<end>".utf8)], controlTokens: [:], endTokens: [256])
        let schema: JSONValue = ["type": "object", "properties": ["to": ["type": "array", "uniqueItems": true]]]
        let pay: JSONValue = ["type": "function", "function": ["name": "pay", "parameters": schema]]
        let error = #expect(throws: GrammarError.self) {
            try CompiledGrammar(
                ToolCallGrammar.source(Self.tools + [pay], dialect: dialect, isParallel: false), vocabulary: vocabulary)
        }
        #expect(error?.description.contains("'uniqueItems'") == true)
        // Where in the schema, also if the dialect has a tag per parameter.
        #expect(error?.description.contains("/properties/to") == true, "\(String(describing: error))")
        #expect(error?.description.contains("the parameters of 'pay'") == true)
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
