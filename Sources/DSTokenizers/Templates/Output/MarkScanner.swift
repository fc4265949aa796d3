/// Splits text that arrives in pieces into marks and what lies between them: leftmost first, the longest at one place.
/// What it finds does not depend on how the text is cut. It holds back less than one mark, and looks at every byte a
/// bounded number of times.
struct MarkScanner: Sendable {
    private let marks: [AnswerMark.Spelling]
    private let isFirst: [Bool]
    /// The beginning of a mark, perhaps.
    private var held: [UInt8] = []
    /// Comparisons of bytes so far: what the work grows with.
    private(set) var examinedBytes = 0

    init(_ marks: [AnswerMark.Spelling]) {
        self.marks = marks
        var isFirst = [Bool](repeating: false, count: 256)
        for mark in marks { isFirst[Int(mark.bytes[0])] = true }
        self.isFirst = isFirst
    }

    mutating func push(_ bytes: some Collection<UInt8>) -> [AnswerLexeme] { scan(held + bytes, ended: false) }

    /// Nothing follows: what was held back is text.
    mutating func finish() -> [AnswerLexeme] { scan(held, ended: true) }

    private mutating func scan(_ bytes: [UInt8], ended: Bool) -> [AnswerLexeme] {
        var lexemes: [AnswerLexeme] = []
        var textStart = 0
        var position = 0
        held = []
        examinedBytes += bytes.count
        while position < bytes.count {
            guard isFirst[Int(bytes[position])] else {
                position += 1
                continue
            }
            let (found, mayGrow) = match(bytes, at: position)
            if mayGrow, !ended {
                held = Array(bytes[position...])
                break
            }
            guard let found else {
                position += 1
                continue
            }
            if textStart < position { lexemes.append(.text(bytes[textStart..<position])) }
            lexemes.append(.mark(found.mark, literal: found.bytes))
            position += found.bytes.count
            textStart = position
        }
        if textStart < position { lexemes.append(.text(bytes[textStart..<position])) }
        return lexemes
    }

    /// The longest mark at a place, and whether more text could make it another one.
    private mutating func match(_ bytes: [UInt8], at position: Int) -> (found: AnswerMark.Spelling?, mayGrow: Bool) {
        var found: AnswerMark.Spelling?
        var mayGrow = false
        for mark in marks {
            var length = 0
            while length < mark.bytes.count, position + length < bytes.count,
                bytes[position + length] == mark.bytes[length]
            { length += 1 }
            examinedBytes += length + 1
            if length == mark.bytes.count {
                if length > found?.bytes.count ?? 0 { found = mark }
            } else if position + length == bytes.count {
                mayGrow = true
            }
        }
        return (found, mayGrow)
    }
}
