import DSSupport
import DSTokenizers
import Testing

/// Whole chat templates over a corpus of conversations; the expected text is transformers' own rendering.
struct TemplateRenderingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var row: JSONValue
        var template: String { row["template"]?.stringValue ?? "" }
        var conversation: String { row["conversation"]?.stringValue ?? "" }
        var testDescription: String {
            let options = (row.objectValue?.members ?? []).filter {
                !["template", "conversation", "output"].contains($0.key.string)
            }
            return ([template, conversation] + options.map { "\($0.key.string)=\($0.value.serializedString())" })
                .joined(separator: " ")
        }
    }

    static let golden = TemplateGoldens.load("renderings.json")
    static let cases = (golden["cases"]?.arrayValue ?? []).map(Case.init(row:))
    static let begin = golden["tokens"]?["bos_token"]?.stringValue ?? ""
    static let end = golden["tokens"]?["eos_token"]?.stringValue ?? ""

    static func messages(_ testCase: Case) -> [JSONValue] {
        golden["conversations"]?[testCase.conversation]?.arrayValue ?? []
    }
    static func tools(_ testCase: Case) -> JSONValue? {
        testCase.row["tools"]?.stringValue.flatMap { golden["tools"]?[$0] }
    }

    @Test func tableIsThere() { #expect(Self.cases.count > 600) }

    @Test(arguments: cases) func matchesTransformers(_ testCase: Case) throws {
        let template = try ChatTemplate(
            TemplateGoldens.text(testCase.template + ".jinja"), bos: Self.begin, eos: Self.end)
        var variables = JSONObject()
        for name in ["thinking", "enable_thinking"] { if let value = testCase.row[name] { variables[name] = value } }
        func render() throws -> PromptText {
            try template.render(
                messages: Self.messages(testCase), tools: Self.tools(testCase), variables: variables,
                addsGenerationPrompt: testCase.row["add_generation_prompt"]?.boolValue ?? false,
                continuesFinalMessage: testCase.row["continue_final_message"]?.boolValue ?? false)
        }
        guard let expected = testCase.row["output"]?.stringValue else {
            #expect(throws: PromptError.self) { try render() }
            return
        }
        let text = try render()
        #expect(text.bytes == Array(expected.utf8))
        #expect(Array(text.segments.map { Array($0.bytes) }.joined()) == text.bytes)
    }

    /// The native V3.1 encoder writes what the V3.1 template (with the model card's tool description) writes.
    @Test(arguments: cases.filter { $0.template == "deepseek-v3.1-tools" && $0.row["output"] != nil })
    func nativeV31MatchesTemplate(_ testCase: Case) throws {
        var conversation = try Conversation(
            messages: Self.messages(testCase), tools: Self.tools(testCase)?.arrayValue ?? [])
        conversation.thinking = testCase.row["thinking"]?.boolValue
        conversation.addsGenerationPrompt = testCase.row["add_generation_prompt"]?.boolValue ?? false
        if testCase.row["continue_final_message"] != nil {
            guard conversation.messages.last?.role == .assistant else { return }
            conversation.continuesFinalMessage = true
        }
        #expect(try DeepSeekV31Encoder().render(conversation).string == testCase.row["output"]?.stringValue)
    }
}

/// What a conversation needs beyond what templates say.
struct TemplateAdaptationTests {
    static func template(_ name: String) throws -> ChatTemplate {
        try ChatTemplate(TemplateGoldens.text(name + ".jinja"), bos: "<b>", eos: "<e>")
    }

    static func conversation() throws -> Conversation {
        let tool = try JSONValue.parse(#"{"name": "f", "description": "d", "parameters": {"type": "object"}}"#)
        var result = try Conversation(messages: [], tools: [tool])
        var call = ConversationMessage(.assistant, "")
        call.toolCalls = [ConversationToolCall(id: "1", name: "f", arguments: #"{"a": 1}"#)]
        result.messages = [ConversationMessage(.user, "q"), call, ConversationMessage(.tool, "r")]
        return result
    }

    /// Arguments reach each template in the form that it expects: text, or an object to be serialised.
    @Test(arguments: ["deepseek-v3", "deepseek-r1", "deepseek-v3.1", "qwen2.5", "qwen3", "llama3-tools"])
    func argumentsAreWrittenOnce(_ name: String) throws {
        #expect(try Self.template(name).render(Self.conversation()).string.contains(#"{"a": 1}"#))
    }

    /// V3's template has no word about tools: the system text gets it, and its control tokens are ours.
    @Test(arguments: ["deepseek-v3", "deepseek-r1", "r1-distill"]) func toolsAreDescribed(_ name: String) throws {
        let prompt = try Self.template(name).render(Self.conversation())
        #expect(
            prompt.string.hasPrefix(
                "<b>\n\n## Tools\nYou have access to the following tools:\n\n### f\nDescription: d\n"))
        let callsBegin = Array("<｜tool▁calls▁begin｜>".utf8)
        let mark = try #require(prompt.text.find(callsBegin))
        #expect(!prompt.text.slice(mark..<mark + callsBegin.count).isForeign)
    }

    @Test func whatCannotBeSaidIsAnError() throws {
        var conversation = try Self.conversation()
        #expect(throws: PromptError.self) { try Self.template("deepseek-v2").render(conversation) }
        conversation.messages = [ConversationMessage(.user, "q")]
        #expect(throws: PromptError.self) { try Self.template("deepseek-v2").render(conversation) }
        conversation.tools = []
        #expect(try Self.template("deepseek-v2").render(conversation).string == "<b>User: q\n\nAssistant:")
        conversation.messages = [ConversationMessage(.developer, "dev"), ConversationMessage(.user, "q")]
        #expect(try Self.template("deepseek-v3").render(conversation).string == "<b>dev<｜User｜>q<｜Assistant｜>")
    }

    @Test(arguments: [
        ("deepseek-v3", OutputDialect.deepSeekV3), ("deepseek-r1", .deepSeekV3), ("deepseek-v3.1", .deepSeekV31),
        ("qwen3", .hermes), ("deepseek-v2", .plain),
    ])
    func encodersAreChosen(_ name: String, _ dialect: OutputDialect) throws {
        let encoder = try PromptEncoders.make(
            template: TemplateGoldens.text(name + ".jinja"), controlTokens: [], bos: nil, eos: nil)
        #expect(encoder?.dialect == dialect)
        #expect((encoder is DeepSeekV31Encoder) == (name == "deepseek-v3.1"))
    }

    @Test(arguments: [
        ("<｜DSML｜function_calls>", OutputDialect.deepSeekV32), ("{{ '<' + dsml + 'tool_calls>' }} ｜DSML｜", .deepSeekV4),
        ("<｜DSML｜tool_calls>", .deepSeekV4), ("<｜DSML｜ calls>", .deepSeekV41), ("x", .plain),
    ])
    func dialectsAreDetected(_ template: String, _ dialect: OutputDialect) {
        #expect(OutputDialect.detect(template: template) == dialect)
    }

    @Test func formatsWithoutTemplate() throws {
        func make(_ tokens: [String]) throws -> (any PromptEncoder)? {
            try PromptEncoders.make(template: nil, controlTokens: tokens, bos: nil, eos: nil)
        }
        #expect(try make(["<｜User｜>", "<｜Assistant｜>", "<think>", "｜DSML｜"]) is DeepSeekV32Encoder)
        #expect(try make(["<｜User｜>", "<｜Assistant｜>", "<think>"]) is DeepSeekV31Encoder)
        let v4 = ["<｜User｜>", "<｜Assistant｜>", "<think>", "｜DSML｜", "<｜latest_reminder｜>"]
        #expect(try make(v4)?.dialect == .deepSeekV4)
        #expect(try make(v4 + ["<｜System｜>"])?.dialect == .deepSeekV41)
        #expect(try make(["<s>"]) == nil)
    }

    @Test(arguments: [
        #"{"role": "robot", "content": "x"}"#, #"{"role": "user", "content": 5}"#, "[]",
        #"{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}"#,
        #"{"role": "assistant", "tool_calls": [{"function": {}}]}"#,
    ])
    func malformedMessagesAreNamed(_ json: String) throws {
        let bad = try JSONValue.parse(json)
        let good = try JSONValue.parse(#"{"role": "user", "content": "x"}"#)
        #expect { try Conversation(messages: [good, bad]) } throws: {
            guard case .message(index: 1, reason: _)? = $0 as? PromptError else { return false }
            return true
        }
    }
}

/// DeepSeek-V3.2's own encoding program is the oracle (`make_dsml_goldens.py`).
struct TemplateDSMLTests {
    static let golden = TemplateGoldens.load("dsml.json")
    static let cases = (golden["cases"]?.arrayValue ?? []).map(TemplateRenderingTests.Case.init(row:))

    @Test(arguments: cases) func matchesReference(_ testCase: TemplateRenderingTests.Case) throws {
        func render() throws -> String {
            let hasTools = testCase.row["tools"]?.boolValue ?? false
            var conversation = try Conversation(
                messages: Self.golden["conversations"]?[testCase.conversation]?.arrayValue ?? [],
                tools: hasTools ? Self.golden["tools"]?.arrayValue ?? [] : [])
            conversation.thinking = testCase.row["thinking"]?.boolValue
            return try DeepSeekV32Encoder().render(conversation).string
        }
        guard let output = testCase.row["output"]?.stringValue else {
            #expect(throws: PromptError.self) { try render() }
            return
        }
        let header = Self.golden["header"]?.stringValue ?? ""
        #expect(
            try render()
                == output.split(separator: "@TOOLS@", omittingEmptySubsequences: false).joined(separator: header))
    }

    @Test func tableIsThere() { #expect(Self.cases.count > 100) }
}

/// The encoding programs of DeepSeek-V4 and V4.1 are the oracle (`make_dsml_v4_goldens.py`).
struct TemplateDSMLV4Tests {
    static let golden = TemplateGoldens.load("dsml-v4.json")
    static let cases = (golden["cases"]?.arrayValue ?? []).map(TemplateRenderingTests.Case.init(row:))

    @Test(arguments: cases) func matchesReference(_ testCase: TemplateRenderingTests.Case) throws {
        let hasTools = testCase.row["tools"]?.boolValue ?? false
        let version = testCase.row["version"]?.stringValue ?? ""
        var conversation = try Conversation(
            messages: Self.golden["conversations"]?[testCase.conversation]?.arrayValue ?? [],
            tools: hasTools ? Self.golden["tools"]?.arrayValue ?? [] : [])
        conversation.thinking = testCase.row["thinking"]?.boolValue
        conversation.arguments["reasoning_effort"] = testCase.row["effort"]
        let prompt = try DeepSeekV4Encoder(version == "dsv4" ? .v4 : .v41).render(conversation)
        let header = Self.golden["headers"]?[version]?.stringValue ?? ""
        let expected = (testCase.row["output"]?.stringValue ?? "").split(
            separator: "@TOOLS@", omittingEmptySubsequences: false
        ).joined(separator: header)
        #expect(sameBytes(prompt.string, expected), "\(prompt.string)")
        #expect(prompt.endsInReasoning == expected.hasSuffix("<think>"))
    }

    @Test func tableIsThere() { #expect(Self.cases.count > 200) }
}
