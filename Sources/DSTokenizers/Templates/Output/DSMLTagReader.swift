/// Reads the tags that begin with DSML's marks. What turns out to be none is passed on as the mark and its text.
struct DSMLTagReader: Sendable {
    private struct Opening {
        var mark: AnswerMark
        var literal: [UInt8]
        /// What follows the mark so far.
        var header: [UInt8] = []
        /// Where the element's name ends, and which it is.
        var name: (element: DSMLTag.Element, end: Int)?
    }

    /// No tag is longer: what does not end is text that goes on.
    private static let longestHeader = 4096

    private var opening: Opening?

    mutating func push(_ lexeme: AnswerLexeme) -> [AnswerLexeme] {
        switch lexeme {
        case .text(let text): return opening == nil ? [lexeme] : read(text)
        case .mark(let mark, let literal):
            let before = finish()
            guard mark == .tagOpen || mark == .tagClose else { return before + [lexeme] }
            opening = Opening(mark: mark, literal: literal)
            return before
        case .tag: return finish() + [lexeme]
        }
    }

    /// The tag has no end.
    mutating func finish() -> [AnswerLexeme] {
        guard let opening else { return [] }
        self.opening = nil
        let mark = AnswerLexeme.mark(.stray, literal: opening.literal)
        return opening.header.isEmpty ? [mark] : [mark, .text(opening.header[...])]
    }

    private mutating func read(_ text: ArraySlice<UInt8>) -> [AnswerLexeme] {
        for index in text.indices {
            guard let progress = take(text[index]) else { continue }
            let rest = text[(index + 1)...]
            return progress + (rest.isEmpty ? [] : [.text(rest)])
        }
        return []
    }

    /// What the byte decides; nil where the tag goes on.
    private mutating func take(_ byte: UInt8) -> [AnswerLexeme]? {
        opening?.header.append(byte)
        guard let current = opening else { return [] }
        guard let (element, end) = current.name ?? readName(current, byte) else {
            let name = current.header.drop { $0.isBlank }
            let goesOn = (Self.isLetter(byte) || name.isEmpty) && name.count <= DSMLTag.longestElement
            return goesOn && current.header.count <= 2 * DSMLTag.longestElement ? nil : finish()
        }
        opening?.name = (element, end)
        let isClosing = current.mark == .tagClose
        if byte == UInt8(ascii: ">") {
            let attributes = current.header[end..<current.header.count - 1]
            let isPlain = isClosing || element == .calls
            if isPlain || Self.endsValue(attributes) {
                opening = nil
                let tag = DSMLTag(
                    element, mark: current.literal, isClosing: isClosing, header: current.header,
                    attributes: attributes)
                if let tag, !isPlain || attributes.allSatisfy(\.isBlank) { return [.tag(tag)] }
                return [.mark(.stray, literal: current.literal), .text(current.header[...])]
            }
            if attributes.allSatisfy(\.isBlank) { return finish() }
        }
        let isPlain = isClosing || element == .calls
        let isBroken = isPlain && !byte.isBlank && current.header.count > end
        return isBroken || current.header.count > Self.longestHeader ? finish() : nil
    }

    /// The element, as soon as its name has ended.
    private func readName(_ opening: Opening, _ byte: UInt8) -> (DSMLTag.Element, Int)? {
        guard !Self.isLetter(byte) else { return nil }
        let end = opening.header.count - 1
        let name = opening.header[..<end].drop { $0.isBlank }
        return DSMLTag.element(name).map { ($0, end) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    /// A `>` inside a value does not end the tag.
    private static func endsValue(_ attributes: ArraySlice<UInt8>) -> Bool {
        var rest = attributes.withoutBlanks
        if rest.last == UInt8(ascii: "/") { rest = rest.dropLast().withoutBlanks }
        return rest.last == UInt8(ascii: "\"")
    }
}
