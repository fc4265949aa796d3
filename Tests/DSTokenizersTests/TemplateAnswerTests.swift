import DSTokenizers
import Testing

/// When text is passed on; what it becomes is in the golden transcripts.
struct TemplateAnswerTests {
    /// Content flows: nothing is held back that cannot be markup.
    @Test func ordinaryTextIsNotDelayed() {
        var parser = AnswerParser(dialect: .deepSeekV31, inReasoning: true)
        #expect(parser.push("step ".utf8) == [.reasoning("step ")])
        #expect(parser.push("2 </th".utf8) == [.reasoning("2 ")])
        #expect(parser.isReasoning)
        #expect(parser.push("ink>A".utf8) == [.content("A")])
        #expect(!parser.isReasoning)
        #expect(parser.push("b".utf8) == [.content("b")])
    }
}
