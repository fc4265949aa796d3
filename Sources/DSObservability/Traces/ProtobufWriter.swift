/// Appends fields in the Protocol Buffers wire format. The messages that are sent here are few and stable, so they are written by
/// hand rather than by generated code.
package struct ProtobufWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func field(_ number: Int, varint value: UInt64) {
        tag(number, type: 0)
        varint(value)
    }

    package mutating func field(_ number: Int, fixed value: UInt64) {
        tag(number, type: 1)
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    package mutating func field(_ number: Int, bytes value: [UInt8]) {
        tag(number, type: 2)
        varint(UInt64(value.count))
        bytes += value
    }

    package mutating func field(_ number: Int, text: String) { field(number, bytes: Array(text.utf8)) }

    package mutating func field(_ number: Int, message: (inout ProtobufWriter) -> Void) {
        var writer = ProtobufWriter()
        message(&writer)
        field(number, bytes: writer.bytes)
    }

    private mutating func tag(_ number: Int, type: UInt64) { varint(UInt64(number) << 3 | type) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
