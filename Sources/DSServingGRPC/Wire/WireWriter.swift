/// Writes fields of protocol buffers (encoding: protobuf.dev/programming-guides/encoding).
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    mutating func field(_ number: Int, varint value: UInt64) {
        tag(number, 0)
        varint(value)
    }

    mutating func field(_ number: Int, double value: Double) {
        tag(number, 1)
        fixed(value.bitPattern)
    }

    mutating func field(_ number: Int, float value: Float) {
        tag(number, 5)
        fixed(value.bitPattern)
    }

    mutating func field(_ number: Int, bytes value: some Collection<UInt8>) {
        tag(number, 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func field(_ number: Int, text: String) { field(number, bytes: text.utf8) }

    /// A repeated field of numbers in its packed form.
    mutating func field(_ number: Int, packed values: [Int64]) {
        guard !values.isEmpty else { return }
        var inner = WireWriter()
        for value in values { inner.varint(UInt64(bitPattern: value)) }
        field(number, bytes: inner.bytes)
    }

    mutating func fixed(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    private mutating func tag(_ number: Int, _ kind: UInt64) { varint(UInt64(number) << 3 | kind) }
}
