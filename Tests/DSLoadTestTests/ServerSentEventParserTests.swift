import DSLoadTest
import Testing

@Suite struct ServerSentEventParserTests {
    private func events(_ pieces: [[UInt8]]) -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        for piece in pieces { parser.feed(piece) { events.append($0) } }
        return events
    }

    private func event(_ data: String, _ name: String? = nil) -> ServerSentEvent {
        ServerSentEvent(name: name, data: Array(data.utf8))
    }

    /// Texts, and what the standard makes of them (WHATWG HTML, 9.2.6).
    private static let cases: [(text: String, events: [(data: String, name: String?)])] = [
        ("data: a\n\ndata: b\n\n", [("a", nil), ("b", nil)]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", [("a", nil), ("b", nil)]),
        ("data: a\r\rdata: b\r\r", [("a", nil), ("b", nil)]),
        ("data:no space\n\n", [("no space", nil)]),
        ("data:  two\n\n", [(" two", nil)]),
        ("data: one\ndata: two\n\n", [("one\ntwo", nil)]),
        (": comment\n\ndata: x\n: y\n\n", [("x", nil)]),
        ("event: error\ndata: {}\n\ndata: z\n\n", [("{}", "error"), ("z", nil)]),
        ("event: only a name\n\ndata: q\n\n", [("q", nil)]),
        ("id: 1\nretry: 5\nunknown: f\ndata\n\n", [("", nil)]),
        ("\u{FEFF}data: after a mark\n\n", [("after a mark", nil)]),
        ("data: grüße 你好\n\n", [("grüße 你好", nil)]),
        ("data: whole\n\ndata: cut", [("whole", nil)]),
        ("data: whole\n\ndata: cut\n", [("whole", nil)]),
        ("\n\n\n", []),
    ]

    @Test(arguments: cases.indices) func whatTheStandardSays(index: Int) {
        let (text, expected) = Self.cases[index]
        #expect(events([Array(text.utf8)]) == expected.map { event($0.data, $0.name) })
    }

    @Test(arguments: cases.indices) func splitsChangeNothing(index: Int) {
        let bytes = Array(Self.cases[index].text.utf8)
        let whole = events([bytes])
        #expect(events(bytes.map { [$0] }) == whole)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]].map(Array.init)
                #expect(events(pieces) == whole)
            }
        }
    }
}
