import DSEvaluation
import DSSupport
import Testing

/// Every case was judged by Training/checks.py, too: `python3 -m pytest Tests/Checks/test_evaluation.py` compares both.
@Suite struct AnswerCheckTests {
    private func check(_ json: String) throws -> AnswerCheck {
        let line = #"{"id":"x","task":"t","messages":[{"role":"user","content":"?"}],"check":\#(json)}"#
        return try EvaluationItem.read(Array(line.utf8), source: "test")[0].check
    }

    static let script = "create table t(a integer, b real, c text); insert into t values (1, 2.5, 'x'), (2, 0.1, 'y');"

    @Test(arguments: [
        (#"{"type":"number","expected":"5050"}"#, "The sum is 5050.", true),
        (#"{"type":"number","expected":"5050"}"#, "5050 then 5051", false),
        (#"{"type":"number","expected":"-3"}"#, "it is -3", true),
        (#"{"type":"number","expected":"3"}"#, "it is -3", false),
        (#"{"type":"number","expected":"2.5"}"#, "2.50", true),
        (#"{"type":"number","expected":"1"}"#, "none", false),
        (#"{"type":"exact","expected":"Paris"}"#, " paris. ", true),
        (#"{"type":"exact","expected":"Paris"}"#, "Paris, France", false),
        (#"{"type":"label","expected":"high"}"#, "High", true),
        (#"{"type":"label","expected":"高"}"#, "高。", true),
        (#"{"type":"label","expected":"high"}"#, "hour 3: +1 = 8\n8 points: high\nhigh\n", true),
        (#"{"type":"label","expected":"high"}"#, "high\r\nlow", false),
        (#"{"type":"label","expected":"high"}"#, "8 points: high", false),
        (#"{"type":"contains","expected":"ds-convert"}"#, "Use DS-Convert for it", true),
        (#"{"type":"contains","expected":"ds-convert"}"#, "ds convert", false),
        (#"{"type":"refusal","expected":["do not know","cannot"]}"#, "I cannot know that", true),
        (#"{"type":"refusal","expected":["do not know","cannot"]}"#, "It is sunny", false),
    ])
    func judgesTexts(json: String, answer: String, accepted: Bool) throws {
        #expect(try check(json).accepts(answer) == accepted)
    }

    @Test(arguments: [
        ("select a from t order by a desc", true), ("select a from t order by a", false), ("select a from", false),
        ("select 2 union all select 1;", true), ("delete from t", false), ("select 1; select 2", false),
        ("with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r", false),
    ])
    func judgesQueriesByTheirRows(query: String, accepted: Bool) throws {
        let json = #"{"type":"sql","expected":"","database":"\#(Self.script)","rows":[[2],[1]],"ordered":true}"#
        #expect(try check(json).accepts(query) == accepted)
    }

    @Test func rowsCompareByNineDigitsAndWithoutOrder() throws {
        let json =
            #"{"type":"sql","expected":"","database":"\#(Self.script)","rows":[["x",2.6],["y",null]],"ordered":false}"#
        #expect(try check(json).accepts("select 'y', null union select c, b + 0.1 from t where a = 1"))
        #expect(try !check(json).accepts("select 'y', null union select c, b + 0.2 from t where a = 1"))
    }

    @Test func toolCallsCompareByValue() throws {
        let json = #"{"type":"json","expected":{"name":"f","arguments":{"a":1,"b":["x"]}}}"#
        let call = try check(json)
        #expect(call.accepts("", calls: [("f", #"{"b": ["x"], "a": 1.0}"#)]))
        #expect(!call.accepts("", calls: [("f", #"{"b": ["x"]}"#)]))
        #expect(!call.accepts("", calls: [("g", #"{"b": ["x"], "a": 1}"#)]))
        #expect(!call.accepts("", calls: [("f", #"{"b": ["x"], "#)]))
        #expect(!call.accepts(""))
    }

    @Test(arguments: [
        "[]", "{}", #"{"id":"a","task":"t","messages":[],"check":{"type":"exact","expected":"x"}}"#,
        #"{"id":"a","task":"t","messages":[{"role":"user","content":"?"}],"check":{"type":"guess","expected":"x"}}"#,
        #"{"id":"a","task":"t","messages":[{"role":"user","content":"?"}],"check":{"type":"number","expected":"x"}}"#,
        #"{"id":"a","task":"t","messages":[{"role":"user","content":"?"}]"#,
    ])
    func refusesWhatIsNoItem(line: String) {
        #expect(throws: EvaluationError.self) { try EvaluationItem.read(Array("\n\(line)".utf8), source: "file") }
    }
}
