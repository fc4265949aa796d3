internal import DSSupport

/// A schema document: its schemas by name, and where references lead.
struct SchemaDocument {
    let root: JSONValue
    private(set) var schemas: [JSONValue] = []
    private var known: [[UInt8]: SchemaID] = [:]
    private let anchors: [String: JSONValue]
    private let work: GrammarWork
    /// Up to draft 7 a `$ref` hides what stands beside it.
    let refHidesSiblings: Bool

    init(_ root: JSONValue, work: GrammarWork) {
        self.root = root
        self.work = work
        let draft = root["$schema"]?.stringValue ?? ""
        refHidesSiblings = ["draft-07", "draft-06", "draft-04", "draft-03"].contains { draft.contains($0) }
        var anchors: [String: JSONValue] = [:]
        Self.collectAnchors(root, depth: 0, into: &anchors)
        self.anchors = anchors
    }

    mutating func name(_ schema: JSONValue) -> SchemaID {
        let text = schema.serialized()
        // Every level of a schema is written out with all below it.
        work.spend(8 + text.count / 8)
        if let id = known[text] { return id }
        let id = SchemaID(index: schemas.count)
        schemas.append(schema)
        known[text] = id
        return id
    }

    /// Where a schema stands first in the document, as the reference tokens of a JSON pointer; nil: it was made of others.
    func path(to schema: JSONValue) -> [String]? { Self.path(to: schema, in: root) }

    private static func path(to schema: JSONValue, in value: JSONValue) -> [String]? {
        if value == schema { return [] }
        switch value {
        case .array(let items):
            for (index, item) in items.enumerated() {
                if let rest = path(to: schema, in: item) { return [String(index)] + rest }
            }
        case .object(let object):
            for member in object.members {
                if let rest = path(to: schema, in: member.value) { return [member.key.string] + rest }
            }
        default: break
        }
        return nil
    }

    subscript(id: SchemaID) -> JSONValue { schemas[id.index] }

    /// The schema that a reference names.
    func resolve(_ reference: String) throws(GrammarError) -> JSONValue {
        func unsupported(_ reason: String) -> GrammarError {
            .unsupported(keyword: "$ref", path: "'\(reference.prefix(200))'", reason: reason)
        }
        try work.charge(100 + 4 * reference.utf8.count)
        if let found = anchors[reference] { return found }
        guard reference.hasPrefix("#") else { throw unsupported("another document") }
        let fragment = try Self.unescaped(reference.dropFirst())
        if fragment.isEmpty { return root }
        guard fragment.hasPrefix("/") else { throw unsupported("no such anchor") }
        var value = root
        for part in fragment.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let key = String(part.replacing("~1", with: "/").replacing("~0", with: "~"))
            let next: JSONValue? =
                if case .array = value { Int(key).flatMap { value[$0] } } else { value[key] }
            guard let next else { throw unsupported("nothing lies there") }
            value = next
        }
        return value
    }

    private static func unescaped(_ text: Substring) throws(GrammarError) -> String {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func collectAnchors(_ value: JSONValue, depth: Int, into anchors: inout [String: JSONValue]) {
        guard depth < 256 else { return }
        switch value {
        case .object(let object):
            if let anchor = object["$anchor"]?.stringValue { anchors["#" + anchor] = value }
            for key in ["$id", "id"] {
                if let id = object[key]?.stringValue, !id.isEmpty { anchors[id] = value }
            }
            // What lies in values is no schema.
            for member in object.members where !["enum", "const", "default", "examples"].contains(member.key.string) {
                collectAnchors(member.value, depth: depth + 1, into: &anchors)
            }
        case .array(let elements):
            for element in elements { collectAnchors(element, depth: depth + 1, into: &anchors) }
        default: break
        }
    }
}
