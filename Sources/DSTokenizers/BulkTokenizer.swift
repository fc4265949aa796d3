package import DSSupport

/// Tokenises files of JSON lines: a JSON string per line in, a JSON array of ids per line out (and back). Streams: memory is
/// bounded by the longest line, not by the file.
package struct BulkTokenizer {
    private let tokenizer: Tokenizer
    private let addSpecialTokens: Bool
    private let parseSpecial: Bool

    /// Output is handed on in pieces of about this size.
    private static let chunkBytes = 1 << 20

    /// The defaults give what `encode(text, add_special_tokens=False)` of the reference library gives.
    package init(_ tokenizer: Tokenizer, addSpecialTokens: Bool = false, parseSpecial: Bool = true) {
        self.tokenizer = tokenizer
        self.addSpecialTokens = addSpecialTokens
        self.parseSpecial = parseSpecial
    }

    /// Encodes every line of the input in order. Blank lines are errors, except at the end: a line out belongs to each line in.
    package func encode(
        lines input: UnsafeRawBufferPointer, write: ([UInt8]) throws -> Void
    ) throws {
        try forEachLine(of: input, write: write) { (value, output) throws(TokenizerError) in
            guard let text = value.bytesValue else {
                throw TokenizerError.malformed(path: "", expected: "a string", found: value.typeName)
            }
            let ids = try tokenizer.encode(text, addSpecialTokens: addSpecialTokens, parseSpecial: parseSpecial)
            Self.append(ids, to: &output)
        }
    }

    /// Decodes lines of JSON arrays of ids to lines of JSON strings.
    package func decode(
        lines input: UnsafeRawBufferPointer, skipSpecial: Bool = false, write: ([UInt8]) throws -> Void
    ) throws {
        try forEachLine(of: input, write: write) { (value, output) throws(TokenizerError) in
            let text = try tokenizer.decode(try Self.ids(in: value), skipSpecial: skipSpecial)
            output += JSONValue.text(text).serialized()
        }
    }

    /// The ids of a JSON array.
    package static func ids(in value: JSONValue) throws(TokenizerError) -> [Int32] {
        guard let items = value.arrayValue else {
            throw .malformed(path: "", expected: "an array of ids", found: value.typeName)
        }
        var ids: [Int32] = []
        ids.reserveCapacity(items.count)
        for item in items {
            guard let id = item.intValue.flatMap({ Int32(exactly: $0) }) else {
                let found = item.doubleValue == nil ? item.typeName : item.serializedString()
                throw .malformed(path: "", expected: "an id in the array", found: found)
            }
            ids.append(id)
        }
        return ids
    }

    private func forEachLine(
        of input: UnsafeRawBufferPointer, write: ([UInt8]) throws -> Void,
        _ body: (JSONValue, inout [UInt8]) throws(TokenizerError) -> Void
    ) throws {
        var output: [UInt8] = []
        var number = 0
        var blank: Int?
        var position = 0
        while position < input.count {
            let end = input[position...].firstIndex(of: 0x0A) ?? input.count
            let line = UnsafeRawBufferPointer(rebasing: input[position..<end])
            position = end + 1
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
                blank = blank ?? number
                continue
            }
            if let blank { throw TokenizerError.line(blank, "expected a JSON value, found a blank line") }
            do {
                try body(try JSONValue.parse(line), &output)
            } catch {
                throw TokenizerError.line(number, "\(error)")
            }
            output.append(0x0A)
            if output.count >= Self.chunkBytes {
                try write(output)
                output.removeAll(keepingCapacity: true)
            }
        }
        if !output.isEmpty { try write(output) }
    }

    private static func append(_ ids: [Int32], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, id) in ids.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: String(id).utf8)
        }
        output.append(UInt8(ascii: "]"))
    }
}
