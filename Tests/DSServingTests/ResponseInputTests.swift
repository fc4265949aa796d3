import DSServing
import DSSupport
import Testing

@Suite struct ResponseInputTests {
    private func messages(_ json: String) throws -> [JSONValue] {
        try ResponseInput.messages(try FieldReader(body: Array(#"{"input":\#(json)}"#.utf8)))
    }

    @Test func aTurnOfSeveralItemsIsOneMessage() throws {
        let found = try messages(
            """
            [{"role":"developer","content":"d"},{"role":"user","content":[{"type":"input_text","text":"q"}]},
             {"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"why"}]},
             {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look"}]},
             {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
             {"type":"function_call","call_id":"c2","name":"g","arguments":"{\\"x\\":1}"},
             {"type":"function_call_output","call_id":"c1","output":"one"},
             {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"two"}]},
             {"role":"assistant","content":"done"}]
            """)
        #expect(found.map { $0["role"]?.stringValue } == ["system", "user", "assistant", "tool", "tool", "assistant"])
        #expect(found[2]["reasoning_content"] == "why" && found[2]["content"] == "I look")
        #expect(found[2]["tool_calls"]?.arrayValue?.count == 2)
        #expect(found[2]["tool_calls"]?[1]?["function"] == ["name": "g", "arguments": #"{"x":1}"#])
        #expect(found[4] == ["role": "tool", "tool_call_id": "c2", "content": "two"])
        #expect(found[5]["reasoning_content"] == nil)
    }

    @Test func sealedReasoningComesBack() throws {
        let found = try messages(
            #"[{"type":"reasoning","summary":[],"encrypted_content":"d2h5"},{"role":"assistant","content":"a"}]"#)
        #expect(found == [["role": "assistant", "content": "a", "reasoning_content": "why"]])
    }

    @Test(arguments: [
        ("[]", "input"), ("null", "input"), ("5", "input"), ("[1]", "input[0]"), (#"[{"type":"x"}]"#, "input[0].type"),
        (#"[{"role":"king","content":"x"}]"#, "input[0].role"), (#"[{"role":"user"}]"#, "input[0].content"),
        (#"[{"role":"user","content":[{"type":"input_image"}]}]"#, "input[0].content[0].type"),
        (#"[{"type":"function_call","name":"f","arguments":"{}"}]"#, "input[0].call_id"),
        (#"[{"type":"function_call_output","call_id":"c"}]"#, "input[0].output"),
        (#"[{"type":"reasoning","encrypted_content":"%"}]"#, "input[0].encrypted_content"),
    ])
    func wrongItemsNameTheirPlace(json: String, field: String) {
        let error = #expect(throws: APIError.self) { try messages(json) }
        #expect(error?.parameter == field)
    }
}
