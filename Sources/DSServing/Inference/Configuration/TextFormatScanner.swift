/// What is wrong with a text, and where.
struct TextFormatError: Error {
    let line: Int
    let message: String
}

/// Words, strings and marks of the text form of protocol buffers. INVARIANT: `offset <= bytes.count`.
struct TextFormatScanner {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func error(_ message: String) -> TextFormatError { TextFormatError(line: line, message: message) }

    mutating func isAtEnd() throws(TextFormatError) -> Bool {
        skipSpace()
        return offset == bytes.count
    }

    /// Takes a mark if it is next.
    mutating func take(_ mark: UInt8) throws(TextFormatError) -> Bool {
        skipSpace()
        guard offset < bytes.count, bytes[offset] == mark else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ mark: UInt8) throws(TextFormatError) {
        guard try take(mark) else { throw error("expected '\(Character(Unicode.Scalar(mark)))', found \(found)") }
    }

    /// Takes the beginning of a message; returns the mark that ends it.
    mutating func open(_ key: String) throws(TextFormatError) -> UInt8 {
        if try take(UInt8(ascii: "{")) { return UInt8(ascii: "}") }
        if try take(UInt8(ascii: "<")) { return UInt8(ascii: ">") }
        throw error("expected '{' behind '\(key)', found \(found)")
    }

    mutating func identifier() throws(TextFormatError) -> String {
        skipSpace()
        let start = offset
        while offset < bytes.count, Self.isNamePart(bytes[offset]) { offset += 1 }
        guard offset > start, !(0x30...0x39).contains(bytes[start]) else {
            offset = start
            throw error("expected the name of a field, found \(found)")
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// A number or a name without quotes.
    mutating func word(for key: String) throws(TextFormatError) -> String {
        skipSpace()
        let start = offset
        while offset < bytes.count, Self.isNamePart(bytes[offset]) || "+-.".utf8.contains(bytes[offset]) { offset += 1 }
        guard offset > start else { throw error("expected a value behind '\(key)', found \(found)") }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    mutating func stringOrNumber() throws(TextFormatError) -> [UInt8] {
        skipSpace()
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") || bytes[offset] == UInt8(ascii: "'") {
            return try string(for: "key")
        }
        return Array(try word(for: "key").utf8)
    }

    /// One or more quoted strings, which are joined.
    mutating func string(for key: String) throws(TextFormatError) -> [UInt8] {
        var result: [UInt8] = []
        var count = 0
        while true {
            skipSpace()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") || bytes[offset] == UInt8(ascii: "'") else {
                guard count > 0 else { throw error("expected a string in quotes behind '\(key)', found \(found)") }
                guard String(validating: result, as: UTF8.self) != nil else {
                    throw error("expected UTF-8 in the string of '\(key)', found other bytes")
                }
                return result
            }
            count += 1
            try quoted(into: &result)
        }
    }

    private mutating func quoted(into result: inout [UInt8]) throws(TextFormatError) {
        let quote = bytes[offset]
        offset += 1
        while true {
            guard offset < bytes.count, bytes[offset] != 0x0A else {
                throw error("expected the end of a string, found the end of the line")
            }
            let byte = bytes[offset]
            offset += 1
            if byte == quote { return }
            if byte == UInt8(ascii: "\\") { result.append(try escape()) } else { result.append(byte) }
        }
    }

    private mutating func escape() throws(TextFormatError) -> UInt8 {
        guard offset < bytes.count else { throw error("expected an escape sequence, found the end") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "?"): return byte
        case UInt8(ascii: "x"): return try number(radix: 16, digits: 2)
        case 0x30...0x37:
            offset -= 1
            return try number(radix: 8, digits: 3)
        default: throw error("unknown escape sequence '\\\(Character(Unicode.Scalar(byte)))'")
        }
    }

    private mutating func number(radix: Int, digits: Int) throws(TextFormatError) -> UInt8 {
        var text = ""
        while offset < bytes.count, text.utf8.count < digits,
            let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue, digit < radix
        {
            text.append(Character(Unicode.Scalar(bytes[offset])))
            offset += 1
        }
        guard let value = UInt8(text, radix: radix) else { throw error("malformed escape sequence in a string") }
        return value
    }

    private mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x0A:
                line += 1
                offset += 1
            case 0x20, 0x09, 0x0D: offset += 1
            case UInt8(ascii: "#"):
                while offset < bytes.count, bytes[offset] != 0x0A { offset += 1 }
            default: return
            }
        }
    }

    private var found: String {
        offset < bytes.count ? "'\(Character(Unicode.Scalar(bytes[offset])))'" : "the end of the text"
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte)
    }
}
