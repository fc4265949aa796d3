import DSServing
import DSSupport

/// `map<string, InferParameter>`, one entry at a time.
enum ParameterCoding {
    static func decode(_ entry: ArraySlice<UInt8>) throws(InferenceError) -> (name: String, value: JSONValue) {
        var reader = WireReader(entry)
        var name = ""
        var parameter = JSONValue.null
        while let (number, value) = try reader.next() {
            if number == 1 { name = try value.text("parameters") }
            if number == 2 { parameter = try self.value(try value.data("parameters")) }
        }
        return (name, parameter)
    }

    private static func value(_ message: ArraySlice<UInt8>) throws(InferenceError) -> JSONValue {
        var reader = WireReader(message)
        var found = JSONValue.null
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (1, .number(let bits)): found = .bool(bits != 0)
            case (2, .number(let bits)): found = .integer(Int64(bitPattern: bits))
            case (3, .bytes(let bytes)): found = .string(JSONString(bytes: Array(bytes)))
            case (4, .fixed64(let bits)): found = .number(Double(bitPattern: bits))
            // The largest are written as text, which loses nothing.
            case (5, .number(let bits)): found = Int64(exactly: bits).map { .integer($0) } ?? .text(String(bits))
            default: break
            }
        }
        return found
    }

    /// Writes all entries as the field of that number.
    static func write(_ parameters: JSONObject, _ number: Int, to writer: inout WireWriter) {
        for member in parameters.members {
            var value = WireWriter()
            switch member.value {
            case .bool(let flag): value.field(1, varint: flag ? 1 : 0)
            case .integer(let number): value.field(2, varint: UInt64(bitPattern: number))
            case .number(let number): value.field(4, double: number)
            case .string(let text): value.field(3, bytes: text.bytes)
            default: value.field(3, bytes: member.value.serialized())
            }
            var entry = WireWriter()
            entry.field(1, bytes: member.key.bytes)
            entry.field(2, bytes: value.bytes)
            writer.field(number, bytes: entry.bytes)
        }
    }
}
