/// Names, numbers and types of protocol buffer messages: of everything that a Triton model configuration may hold.
package struct ConfigurationSchema: Sendable {
    package enum Kind: Sendable, Equatable {
        case string, bytes, bool, float, double
        case integer(ClosedRange<Int64>)
        case unsigned64
        case enumeration(String)
        case message(String)
    }

    package enum Shape: Sendable { case single, list, map }

    package struct Field: Sendable {
        package let number: Int
        package let kind: Kind
        package let shape: Shape
        /// The keys of a map are numbers (`{#type}`).
        package let hasNumericKeys: Bool
    }

    /// Fields by message and name, and the values of enumerations.
    package private(set) var messages: [String: [String: Field]] = [:]
    package private(set) var enumerations: [String: [String]] = [:]

    static let modelConfig = ConfigurationSchema(table)

    /// The table is a constant of this module: what it says is checked by the tests.
    package init(_ table: String) {
        var entries: [[Substring]] = []
        for line in table.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix(" ") { entries[entries.count - 1] += words } else { entries.append(words) }
        }
        for entry in entries where entry[0] == "enum" {
            enumerations[String(entry[1])] = entry.dropFirst(2).map(String.init)
        }
        for entry in entries where entry[0] == "message" {
            var fields: [String: Field] = [:]
            for word in entry.dropFirst(2) {
                let parts = word.split { $0 == ":" || $0 == "=" }
                fields[String(parts[0])] = field(parts[2], number: Int(parts[1]) ?? 0)
            }
            messages[String(entry[1])] = fields
        }
    }

    private func field(_ type: Substring, number: Int) -> Field {
        let inner = type.dropFirst().dropLast()
        return switch type.first {
        case "[": Field(number: number, kind: kind(inner), shape: .list, hasNumericKeys: false)
        case "{" where inner.first == "#":
            Field(number: number, kind: kind(inner.dropFirst()), shape: .map, hasNumericKeys: true)
        case "{": Field(number: number, kind: kind(inner), shape: .map, hasNumericKeys: false)
        default: Field(number: number, kind: kind(type), shape: .single, hasNumericKeys: false)
        }
    }

    private func kind(_ name: Substring) -> Kind {
        switch name {
        case "string": .string
        case "bool": .bool
        case "bytes": .bytes
        case "float": .float
        case "double": .double
        case "int32": .integer(Int64(Int32.min)...Int64(Int32.max))
        case "uint32": .integer(0...Int64(UInt32.max))
        case "int64": .integer(.min ... .max)
        case "uint64": .unsigned64
        default: enumerations[String(name)] == nil ? .message(String(name)) : .enumeration(String(name))
        }
    }

    func expectation(_ kind: Kind) -> String {
        switch kind {
        case .string, .bytes: "a string"
        case .bool: "true or false"
        case .float, .double: "a number"
        case .integer(let range): "an integer in \(range.lowerBound)...\(range.upperBound)"
        case .unsigned64: "an integer in 0...\(Int64.max)"
        case .enumeration(let name): "one of \((enumerations[name] ?? []).joined(separator: ", "))"
        case .message(let name): "a message (\(name))"
        }
    }
}
