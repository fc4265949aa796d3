import DSServing
import DSSupport

/// Reads a message as an object in its names. Fields that the schema lacks are skipped, as the format asks.
struct MessageDecoder {
    let schema: ConfigurationSchema

    private static let maximumDepth = 32

    func decode(
        _ bytes: ArraySlice<UInt8>, as message: String, depth: Int = 0
    ) throws(InferenceError) -> JSONObject {
        guard depth < Self.maximumDepth else {
            throw WireReader.malformed("messages at most \(Self.maximumDepth) deep")
        }
        let fields = schema.messages[message] ?? [:]
        var object = JSONObject()
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            guard let (name, field) = fields.first(where: { $0.value.number == number }) else { continue }
            switch field.shape {
            case .single: object[name] = try self.value(value, field.kind, name, depth)
            case .list:
                object[name] = .array(
                    (object[name]?.arrayValue ?? []) + [try self.value(value, field.kind, name, depth)])
            case .map:
                let (key, entry) = try mapEntry(value, field, name, depth)
                var map = object[name]?.objectValue ?? JSONObject()
                map[key] = entry
                object[name] = .object(map)
            }
        }
        return object
    }

    private func mapEntry(
        _ value: WireReader.Value, _ field: ConfigurationSchema.Field, _ name: String, _ depth: Int
    ) throws(InferenceError) -> (String, JSONValue) {
        var reader = WireReader(try value.data(name))
        var key = ""
        var entry = JSONValue.object(JSONObject())
        while let (number, part) = try reader.next() {
            if number == 1 { key = try part.text(name) }
            if number == 2 { entry = try self.value(part, field.kind, name, depth) }
        }
        return (key, entry)
    }

    private func value(
        _ value: WireReader.Value, _ kind: ConfigurationSchema.Kind, _ name: String, _ depth: Int
    ) throws(InferenceError) -> JSONValue {
        switch kind {
        case .string: return .text(try value.text(name))
        case .bytes: return .string(JSONString(bytes: Array(try value.data(name))))
        case .bool: return .bool(try value.integer(name) != 0)
        case .integer, .unsigned64, .enumeration:
            let exact = Int64(bitPattern: try value.integer(name))
            // Beyond 63 bits there is no size, offset or count.
            guard exact >= 0 || kind != .unsigned64 else {
                throw WireReader.malformed("at most \(Int64.max) for '\(name)', found more")
            }
            return .integer(exact)
        case .float, .double:
            switch value {
            case .fixed32(let bits): return .number(Double(Float(bitPattern: bits)))
            case .fixed64(let bits): return .number(Double(bitPattern: bits))
            default: throw WireReader.malformed("a number with a fraction for '\(name)'")
            }
        case .message(let message):
            return .object(try decode(try value.data(name), as: message, depth: depth + 1))
        }
    }
}
