import DSSupport
import DSTokenizers

/// The events of an answer with neighbours of one kind joined: what must not depend on how the text was cut.
enum JoinedEvent: Equatable, Sendable {
    case reasoning(String)
    case content(String)
    case call(name: String, arguments: String)

    /// A row of a golden file: kind, text, and for a call its arguments.
    init?(_ row: [JSONValue]) {
        let texts = row.compactMap(\.stringValue)
        guard texts.count == row.count, texts.count >= 2 else { return nil }
        switch texts[0] {
        case "reasoning": self = .reasoning(texts[1])
        case "content": self = .content(texts[1])
        case "call" where texts.count == 3: self = .call(name: texts[1], arguments: texts[2])
        default: return nil
        }
    }

    /// Byte for byte: `String ==` is canonical equivalence.
    static func == (left: JoinedEvent, right: JoinedEvent) -> Bool {
        switch (left, right) {
        case (.reasoning(let a), .reasoning(let b)), (.content(let a), .content(let b)): a.utf8.elementsEqual(b.utf8)
        case (.call(let a, let x), .call(let b, let y)): a.utf8.elementsEqual(b.utf8) && x.utf8.elementsEqual(y.utf8)
        default: false
        }
    }

    var everything: String {
        switch self {
        case .reasoning(let text), .content(let text): text
        case .call(let name, let arguments): name + " " + arguments
        }
    }

    static func join(_ events: [AnswerEvent], to joined: inout [JoinedEvent]) {
        for event in events {
            switch (event, joined.last) {
            case (.reasoning(let text), .reasoning(let before)?): joined[joined.count - 1] = .reasoning(before + text)
            case (.content(let text), .content(let before)?): joined[joined.count - 1] = .content(before + text)
            case (.reasoning(let text), _): joined.append(.reasoning(text))
            case (.content(let text), _): joined.append(.content(text))
            case (.toolCall(_, let name?, let arguments), _): joined.append(.call(name: name, arguments: arguments))
            case (.toolCall(let index, nil, let arguments), _):
                let calls = joined.indices.filter { if case .call = joined[$0] { true } else { false } }
                guard index < calls.count, case .call(let name, let before) = joined[calls[index]] else {
                    joined.append(.call(name: "piece of call \(index), which has not begun", arguments: arguments))
                    continue
                }
                joined[calls[index]] = .call(name: name, arguments: before + arguments)
            }
        }
    }
}

/// The marks that no reader of an answer may see.
enum AnswerMarks {
    static func all(_ dialect: OutputDialect) -> [String] {
        let thinking = ["<think>", "</think>"]
        let dsml = ["<｜DSML｜", "</｜DSML｜", "｜DSML｜"]
        return switch dialect {
        case .plain: thinking
        case .deepSeekV3, .deepSeekV31:
            thinking
                + ["calls▁begin", "calls▁end", "call▁begin", "call▁end", "sep", "output▁begin", "outputs▁end"].map {
                    "<｜tool▁\($0)｜>"
                }
        case .deepSeekV32, .deepSeekV4, .deepSeekV41: thinking + dsml
        case .hermes: thinking + ["<tool_call>", "</tool_call>", "<tool_response>"]
        }
    }

    static func visible(in events: [JoinedEvent], of dialect: OutputDialect) -> String? {
        for event in events {
            switch event {
            case .reasoning(let text), .content(let text):
                if let mark = all(dialect).first(where: { text.contains($0) }) { return mark }
            case .call: break
            }
        }
        return nil
    }
}
