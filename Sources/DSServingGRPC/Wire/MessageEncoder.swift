import DSServing
import DSSupport

/// Writes an object in the names of a message as that message.
struct MessageEncoder {
    let schema: ConfigurationSchema

    /// - Throws: an error for what the message has no field for; the server's own objects never have that.
    func encode(_ object: JSONObject, as message: String) throws(InferenceError) -> [UInt8] {
        var writer = WireWriter()
        for member in object.members {
            guard let field = schema.messages[message]?[member.key.string] else {
                throw InferenceError(.internalFailure, "\(message): expected a known field, found '\(member.key)'")
            }
            switch field.shape {
            case .single: try write(member.value, field, to: &writer)
            case .list: for element in member.value.arrayValue ?? [] { try write(element, field, to: &writer) }
            case .map:
                for entry in member.value.objectValue?.members ?? [] {
                    var inner = WireWriter()
                    if field.hasNumericKeys {
                        inner.field(1, varint: UInt64(entry.key.string) ?? 0)
                    } else {
                        inner.field(1, bytes: entry.key.bytes)
                    }
                    try write(entry.value, field, number: 2, to: &inner)
                    writer.field(field.number, bytes: inner.bytes)
                }
            }
        }
        return writer.bytes
    }

    private func write(
        _ value: JSONValue, _ field: ConfigurationSchema.Field, number: Int? = nil, to writer: inout WireWriter
    ) throws(InferenceError) {
        let number = number ?? field.number
        switch field.kind {
        case .string, .bytes: writer.field(number, bytes: value.bytesValue ?? [])
        case .bool: writer.field(number, varint: value.boolValue ?? false ? 1 : 0)
        case .float: writer.field(number, float: Float(value.doubleValue ?? 0))
        case .double: writer.field(number, double: value.doubleValue ?? 0)
        case .integer, .unsigned64: writer.field(number, varint: UInt64(bitPattern: Int64(value.intValue ?? 0)))
        case .enumeration(let name):
            let place = schema.enumerations[name]?.firstIndex(of: value.stringValue ?? "") ?? 0
            writer.field(number, varint: UInt64(place))
        case .message(let name):
            writer.field(number, bytes: try encode(value.objectValue ?? JSONObject(), as: name))
        }
    }
}
