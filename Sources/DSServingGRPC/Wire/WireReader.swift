import DSServing

/// Reads fields of protocol buffers. INVARIANT: `offset` lies within `bytes`.
struct WireReader {
    enum Value {
        case number(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    private let bytes: ArraySlice<UInt8>
    private var offset: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        offset = bytes.startIndex
    }

    var isAtEnd: Bool { offset == bytes.endIndex }

    /// The next field; `nil` at the end.
    mutating func next() throws(InferenceError) -> (number: Int, value: Value)? {
        guard !isAtEnd else { return nil }
        let tag = try varint()
        let number = Int(truncatingIfNeeded: tag >> 3 & 0x1FFF_FFFF)
        switch tag & 7 {
        case 0: return (number, .number(try varint()))
        case 1: return (number, .fixed64(try fixed()))
        case 2:
            guard let count = Int(exactly: try varint()) else { throw Self.malformed("a length that fits memory") }
            return (number, .bytes(try take(count)))
        case 5: return (number, .fixed32(try fixed()))
        default: throw Self.malformed("a known wire type, found \(tag & 7)")
        }
    }

    mutating func varint() throws(InferenceError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard offset < bytes.endIndex else { throw Self.malformed("the rest of a number, found the end") }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw Self.malformed("a number of at most 10 bytes")
    }

    mutating func fixed<Number: FixedWidthInteger>() throws(InferenceError) -> Number {
        let part = try take(Number.bitWidth / 8)
        return part.reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    private mutating func take(_ count: Int) throws(InferenceError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - offset else {
            throw Self.malformed("\(count) bytes, found \(bytes.endIndex - offset)")
        }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    static func malformed(_ expected: String) -> InferenceError { .invalid("protocol buffer: expected \(expected)") }
}

extension WireReader.Value {
    /// - Parameter field: named in errors.
    func text(_ field: String) throws(InferenceError) -> String {
        guard let text = String(validating: try data(field), as: UTF8.self) else {
            throw WireReader.malformed("UTF-8 in '\(field)', found other bytes")
        }
        return text
    }

    func data(_ field: String) throws(InferenceError) -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = self else { throw WireReader.malformed("bytes for '\(field)', found a number") }
        return bytes
    }

    func integer(_ field: String) throws(InferenceError) -> UInt64 {
        guard case .number(let number) = self else {
            throw WireReader.malformed("a number for '\(field)', found another wire type")
        }
        return number
    }

    /// Numbers of a repeated field, packed or single.
    func integers(_ field: String) throws(InferenceError) -> [UInt64] {
        guard case .bytes(let bytes) = self else { return [try integer(field)] }
        var reader = WireReader(bytes)
        var values: [UInt64] = []
        while !reader.isAtEnd { values.append(try reader.varint()) }
        return values
    }
}
