import DSEngine
import DSServing
import DSSupport
import Testing

/// Conversations of Anthropic's form become message objects of OpenAI's.
@Suite struct AnthropicWireTests {
    private func messages(_ json: String) throws -> JSONValue {
        .array(try AnthropicMessages.read(try FieldReader(body: Array(json.utf8))))
    }

    static let conversions: [(String, String)] = [
        (
            #"{"system":"S","messages":[{"role":"user","content":"q"}]}"#,
            #"[{"role":"system","content":"S"},{"role":"user","content":"q"}]"#
        ),
        (
            #"{"system":[{"type":"text","text":"x-anthropic-billing-header: a"},{"type":"text","text":"S"},{"type":"text","text":"T","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"q"}]}"#,
            #"[{"role":"system","content":"S\n\nT"},{"role":"user","content":"q"}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]}]}"#,
            #"[{"role":"user","content":"a\n\nb\nc"}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Let me."},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}},{"type":"tool_use","id":"t2","name":"g","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"1"},{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":[{"type":"text","text":"2"},{"type":"text","text":"3"}]},{"type":"tool_result","tool_use_id":"t3"},{"type":"text","text":"go on"}]}]}"#,
            #"[{"role":"user","content":"q"},{"role":"assistant","content":"Let me.","reasoning_content":"hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},{"id":"t2","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t1","content":"1"},{"role":"tool","tool_call_id":"t2","content":"2\n3"},{"role":"tool","tool_call_id":"t3","content":""},{"role":"user","content":"go on"}]"#
        ),
        (
            #"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"D"}}]},{"role":"assistant","content":[{"type":"redacted_thinking","data":"x"},{"type":"text","text":"a"}]},{"role":"system","content":"now"}]}"#,
            #"[{"role":"user","content":"D"},{"role":"assistant","content":"a"},{"role":"system","content":"now"}]"#
        ),
    ]

    @Test(arguments: conversions.indices) func conversationsAreConverted(_ index: Int) throws {
        let (given, expected) = Self.conversions[index]
        #expect(try messages(given) == JSONValue.parse(expected))
    }

    @Test(arguments: [
        ("", JSONValue.parseForTest("{}")), (#"{"a":[1]}"#, .parseForTest(#"{"a":[1]}"#)),
        ("city=Oslo", .parseForTest(#"{"arguments":"city=Oslo"}"#)), ("[1]", .parseForTest(#"{"arguments":"[1]"}"#)),
        (#"{"a":"#, .parseForTest(#"{"arguments":"{\"a\":"}"#)),
    ])
    func argumentsAreAnObject(_ text: String, _ expected: JSONValue) {
        #expect(MessageObjects.input(text) == expected)
    }

    @Test func whyAnAnswerEnded() {
        func stop(_ reason: FinishReason, calls: Bool = false, tokens: Int = 5) -> AnthropicStop {
            AnthropicStop(
                GenerationResult(reason: reason, usage: TokenUsage(promptTokens: 1, completionTokens: tokens)),
                calledTools: calls, maximumTokens: 5)
        }
        #expect(stop(.endOfSequence).reason == "end_turn")
        #expect(stop(.endOfSequence, calls: true).reason == "tool_use")
        #expect(stop(.stopString("X"), calls: true).reason == "stop_sequence")
        #expect(stop(.stopString("X")).sequence == "X")
        #expect(stop(.length).reason == "max_tokens")
        #expect(stop(.length, tokens: 4).reason == "model_context_window_exceeded")
    }
}

/// The events of a message stream, from deltas.
@Suite struct AnthropicEventTests {
    static func objects(shows: Bool = true, one: Bool = false) -> MessageObjects {
        MessageObjects(
            identity: AnswerIdentity(prefix: "msg_", model: "m", created: 0), showsThinking: shows, callsOneTool: one)
    }

    /// What a client puts together, and the order in which blocks were open.
    static func assemble(_ deltas: [GenerationDelta], _ objects: MessageObjects) -> (blocks: [String], trace: String) {
        var events = MessageEvents(objects)
        var all = deltas.flatMap { events.push($0) }
        let result = GenerationResult(reason: .endOfSequence, usage: TokenUsage(promptTokens: 1, completionTokens: 9))
        all += events.finish(result, maximumTokens: 10)
        var blocks: [String] = []
        var trace = ""
        for (name, data) in all {
            let index = data["index"]?.intValue ?? -1
            switch name {
            case "content_block_start":
                #expect(index == blocks.count)
                let block = data["content_block"]
                blocks.append("\(block?["type"]?.stringValue ?? ""):\(block?["name"]?.stringValue ?? "")")
                trace += "+\(index)"
            case "content_block_delta":
                #expect(trace.contains("+\(index)") && !trace.contains("-\(index)"), "block \(index) is open")
                let delta = data["delta"]
                let texts = ["text", "thinking", "partial_json"].compactMap { delta?[$0]?.stringValue }
                blocks[index] += texts.first ?? (delta?["signature"] == nil ? "?" : "✓")
            case "content_block_stop": trace += "-\(index)"
            default: trace += " \(name)"
            }
            #expect(data["type"]?.stringValue == name)
        }
        return (blocks, trace)
    }

    @Test func blocksFollowEachOther() {
        let deltas = [
            GenerationDelta(reasoning: "a"), GenerationDelta(reasoning: "b"), GenerationDelta(content: "c"),
            GenerationDelta(
                content: "d", toolCalls: [ToolCallDelta(index: 0, name: "f"), ToolCallDelta(index: 0, arguments: "{")]),
            GenerationDelta(toolCalls: [
                ToolCallDelta(index: 0, arguments: "}"), ToolCallDelta(index: 1, name: "g"),
                ToolCallDelta(index: 1, arguments: "{}"),
            ]),
        ]
        let (blocks, trace) = Self.assemble(deltas, Self.objects())
        #expect(blocks == ["thinking:ab✓", "text:cd", "tool_use:f{}", "tool_use:g{}"])
        #expect(trace == "+0-0+1-1+2-2+3-3 message_delta message_stop")
        #expect(Self.assemble(deltas, Self.objects(shows: false)).blocks[0] == "thinking:✓")
        #expect(Self.assemble(deltas, Self.objects(one: true)).blocks.count == 3)
    }

    @Test func textInTheMiddleOfACallAndArgumentsThatAreNoObject() {
        let deltas = [
            GenerationDelta(toolCalls: [ToolCallDelta(index: 0, name: "f")]), GenerationDelta(content: "loose"),
            GenerationDelta(toolCalls: [ToolCallDelta(index: 0, arguments: "city")]),
            GenerationDelta(toolCalls: [ToolCallDelta(index: 0, arguments: "={")]),
        ]
        let (blocks, trace) = Self.assemble(deltas, Self.objects())
        #expect(blocks == [#"tool_use:f{"arguments": "city={"}"#, "text:loose"])
        #expect(trace == "+0+1-0-1 message_delta message_stop")
    }
}

extension JSONValue {
    fileprivate static func parseForTest(_ text: String) -> JSONValue { (try? parse(text)) ?? .null }
}
