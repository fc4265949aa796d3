import DSServing
import DSSupport
import Testing

@Suite struct OutputConstraintTests {
    private func read(_ json: String) throws -> OutputConstraint? {
        try OutputConstraint.requested(try FieldReader(body: Array(json.utf8)))?.constraint
    }

    @Test(
        arguments: [
            (#"{}"#, nil), (#"{"response_format":{"type":"text"}}"#, nil),
            (#"{"response_format":{"type":"json_object"}}"#, .jsonObject),
            (
                #"{"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"a":1}}}}"#,
                .jsonSchema(["a": 1])
            ),
            (#"{"response_format":{"type":"json_object","schema":{"a":1}}}"#, .jsonSchema(["a": 1])),
            (#"{"structured_outputs":{"json":"{\"a\":1}"}}"#, .jsonSchema(["a": 1])),
            (#"{"structured_outputs":{"json_object":true}}"#, .jsonObject),
            (#"{"structured_outputs":{"choice":["a","b"]}}"#, .choice(["a", "b"])),
            (#"{"guided_json":{"a":1}}"#, .jsonSchema(["a": 1])), (#"{"guided_regex":"a+"}"#, .regex("a+")),
            (#"{"guided_choice":["a"]}"#, .choice(["a"])), (#"{"guided_grammar":"g"}"#, .grammar("g")),
            (#"{"grammar":"g"}"#, .grammar("g")), (#"{"json_schema":{"a":1}}"#, .jsonSchema(["a": 1])),
        ] as [(String, OutputConstraint?)])
    func readsEveryForm(json: String, expected: OutputConstraint?) throws {
        #expect(try read(json) == expected)
    }

    @Test(arguments: [
        (#"{"response_format":{"type":"yaml"}}"#, "response_format.type"),
        (
            #"{"response_format":{"type":"json_schema","json_schema":{"name":"n"}}}"#,
            "response_format.json_schema.schema"
        ),
        (#"{"structured_outputs":{"json":"{"}}"#, "structured_outputs.json"),
        (#"{"structured_outputs":{"choice":[]}}"#, "structured_outputs.choice"),
        (#"{"guided_regex":1}"#, "guided_regex"),
        (#"{"guided_regex":"a","grammar":"g"}"#, "grammar"),
    ])
    func wrongFormsNameTheField(json: String, field: String) {
        let error = #expect(throws: APIError.self) { try read(json) }
        #expect(error?.parameter == field)
    }
}
