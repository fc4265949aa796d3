internal import DSSupport

/// From schemas to shapes.
extension JSONSchemaCompiler {
    /// The shapes that are left if all of these schemas hold.
    mutating func shapes(of ids: [SchemaID]) throws(GrammarError) -> [SchemaShape] {
        let key = Array(Set(ids)).sorted()
        if let known = shapes[key] { return known }
        var result = [SchemaShape()]
        for id in key {
            let before = result
            do {
                result = try apply(document[id], to: before, path: [], depth: 0)
            } catch {
                throw located(error, of: id, before)
            }
        }
        shapes[key] = result
        return result
    }

    /// The same error with its place in the document: schemas are compiled by what they say, wherever they stand.
    private mutating func located(_ error: GrammarError, of id: SchemaID, _ shapes: [SchemaShape]) -> GrammarError {
        if case .tooLarge = error { return error }
        let isPart = document[id] == source
        guard let path = isPart ? part.path : document.path(to: document[id]) else { return error }
        do {
            _ = try apply(isPart ? part.schema : document[id], to: shapes, path: path, depth: 0)
            return error
        } catch .tooLarge {
            return error
        } catch let found {
            return found
        }
    }

    /// - Parameters:
    ///   - path: keywords on the way, for messages.
    ///   - depth: schemas that hold at the same place; a chain of references without an end grows it.
    mutating func apply(
        _ schema: JSONValue, to shapes: [SchemaShape], path: [String], depth: Int
    ) throws(GrammarError) -> [SchemaShape] {
        guard depth < limits.depth else { throw .tooLarge(what: "schemas at one place", limit: limits.depth) }
        if case .bool(let value) = schema { return value ? shapes : [] }
        guard let object = schema.objectValue else {
            throw .malformed(
                what: "schema at \(Self.place(path))", expected: "object or boolean", found: schema.typeName)
        }
        try checkIdentifier(object, path)
        var result = shapes
        let keywords = document.refHidesSiblings && object["$ref"] != nil ? ["$ref"] : object.keys.map(\.string)
        try table.work.charge(40)
        for keyword in keywords where !result.isEmpty {
            guard let value = object[keyword] else { continue }
            try table.work.charge(30 * result.count)
            if Self.branching.contains(keyword) {
                result = try branch(keyword, value, object, result, path: path + [keyword], depth: depth)
            } else {
                for index in result.indices { try narrow(keyword, value, object, &result[index], path + [keyword]) }
            }
            result = result.filter { !$0.types.isEmpty }
            guard result.count <= limits.alternatives else {
                throw .tooLarge(what: "alternatives of a schema at \(Self.place(path))", limit: limits.alternatives)
            }
        }
        return try addLayers(object, result, path)
    }

    static func place(_ path: [String]) -> String { path.isEmpty ? "its root" : "/" + path.joined(separator: "/") }

    /// A part with an identifier of its own would change what the references in it mean.
    private func checkIdentifier(_ object: JSONObject, _ path: [String]) throws(GrammarError) {
        guard object["$id"]?.stringValue != nil || object["id"]?.stringValue != nil,
            JSONValue.object(object) != document.root
        else { return }
        let text = JSONValue.object(object).serializedString()
        try table.work.charge(text.utf8.count / 4)
        if text.contains("\"$ref\"") {
            throw .unsupported(keyword: "$id", path: Self.place(path), reason: "around references")
        }
    }

    // MARK: Keywords that multiply

    private static let branching: Set<String> = [
        "$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies",
    ]

    private mutating func branch(
        _ keyword: String, _ value: JSONValue, _ object: JSONObject, _ shapes: [SchemaShape], path: [String], depth: Int
    ) throws(GrammarError) -> [SchemaShape] {
        switch keyword {
        case "$ref":
            guard let reference = value.stringValue else { throw Self.wrong(path, "a string", value) }
            return try refer(reference, shapes, path, depth)
        case "allOf":
            var result = shapes
            for schema in try Self.list(value, path) {
                result = try apply(schema, to: result, path: path, depth: depth + 1)
            }
            return result
        case "anyOf": return try anyOf(try Self.list(value, path), shapes, path, depth)
        case "oneOf": return try oneOf(try Self.list(value, path), object, shapes, path, depth)
        case "not": return try anyOf(try negations(of: value, path), shapes, path, depth)
        case "if": return try conditional(value, object, shapes, path, depth)
        default:
            guard let members = value.objectValue else { throw Self.wrong(path, "an object", value) }
            var result = shapes
            for member in members.members {
                let absent: JSONValue = ["not": ["required": [.string(member.key)]]]
                var present: JSONValue = ["required": [.string(member.key)]]
                let more: JSONValue =
                    if case .array = member.value { ["required": member.value] } else { member.value }
                present = ["type": "object", "allOf": [present, more]]
                let notObject: JSONValue = ["not": ["type": "object"]]
                let lacking: JSONValue = ["type": "object", "allOf": [absent]]
                result = try anyOf([notObject, lacking, present], result, path, depth)
            }
            return result
        }
    }

    private mutating func refer(
        _ reference: String, _ shapes: [SchemaShape], _ path: [String], _ depth: Int
    ) throws(GrammarError) -> [SchemaShape] {
        let target = try document.resolve(reference)
        let open = shapes.filter { !$0.references.contains(reference) }
        guard !open.isEmpty else { return shapes }
        var result = try apply(target, to: open, path: path, depth: depth + 1)
        for index in result.indices { result[index].references.insert(reference) }
        return shapes.filter { $0.references.contains(reference) } + result
    }

    mutating func anyOf(
        _ schemas: [JSONValue], _ shapes: [SchemaShape], _ path: [String], _ depth: Int
    ) throws(GrammarError) -> [SchemaShape] {
        var result: [SchemaShape] = []
        for schema in schemas {
            try table.work.charge(8 * shapes.count)
            result += try apply(schema, to: shapes, path: path, depth: depth + 1)
            guard result.count <= limits.alternatives else {
                throw .tooLarge(what: "alternatives of a schema at \(Self.place(path))", limit: limits.alternatives)
            }
        }
        return result
    }

    private mutating func conditional(
        _ condition: JSONValue, _ object: JSONObject, _ shapes: [SchemaShape], _ path: [String], _ depth: Int
    ) throws(GrammarError) -> [SchemaShape] {
        let (then, otherwise) = (object["then"], object["else"])
        guard then != nil || otherwise != nil else { return shapes }
        var result = try apply(["allOf": [condition, then ?? true]], to: shapes, path: path, depth: depth + 1)
        for negation in try negations(of: condition, path) {
            result += try apply(
                ["allOf": [negation, otherwise ?? true]], to: shapes, path: path, depth: depth + 1)
        }
        return result
    }

    /// Exactly one: as `anyOf` where no value satisfies two, otherwise with the others negated.
    private mutating func oneOf(
        _ schemas: [JSONValue], _ object: JSONObject, _ shapes: [SchemaShape], _ path: [String], _ depth: Int
    ) throws(GrammarError) -> [SchemaShape] {
        var branches: [[SchemaShape]] = []
        for schema in schemas { branches.append(try apply(schema, to: shapes, path: path, depth: depth + 1)) }
        var overlaps: [Int: [Int]] = [:]
        for left in branches.indices {
            for right in branches.indices.dropFirst(left + 1) {
                try table.work.charge(1)
                guard try mayOverlap(branches[left], branches[right]) else { continue }
                overlaps[left, default: []].append(right)
                overlaps[right, default: []].append(left)
            }
        }
        var result: [SchemaShape] = []
        for index in branches.indices {
            var branch = branches[index]
            for other in overlaps[index] ?? [] {
                branch = try anyOf(try negations(of: schemas[other], path), branch, path, depth)
            }
            result += branch
        }
        return result
    }

    /// False only if no value belongs to both.
    private mutating func mayOverlap(_ left: [SchemaShape], _ right: [SchemaShape]) throws(GrammarError) -> Bool {
        for first in left {
            for second in right where try mayOverlap(first, second, depth: 0) { return true }
        }
        return false
    }

    private mutating func mayOverlap(
        _ left: SchemaShape, _ right: SchemaShape, depth: Int
    ) throws(GrammarError) -> Bool {
        try table.work.charge(4 + (left.required.count + 1) * (right.required.count + 1) / 4)
        let types = left.types.intersection(right.types)
        if types.isEmpty { return false }
        if let literals = left.literals {
            try table.work.charge(literals.count * (right.literals?.count ?? 0))
            for value in literals {
                let inRight = right.literals?.contains { isEqual($0, value) } ?? true
                if inRight, try admits(value, left), try admits(value, right) { return true }
            }
            return false
        }
        if right.literals != nil { return try mayOverlap(right, left, depth: depth) }
        guard types == .object, depth < 2 else { return true }
        if left.forbidden.contains(where: { right.required.contains($0) }) { return false }
        if right.forbidden.contains(where: { left.required.contains($0) }) { return false }
        // A member that both need, and that no value suits.
        for name in left.required where right.required.contains(name) {
            let first = try shapes(of: try schemas(of: name, left))
            let second = try shapes(of: try schemas(of: name, right))
            var overlap = false
            for one in first {
                for other in second where try mayOverlap(one, other, depth: depth + 1) { overlap = true }
            }
            if !overlap { return false }
        }
        // A member that one needs and the other forbids.
        for (one, other) in [(left, right), (right, left)] {
            for name in one.required {
                if try schemas(of: name, other).contains(where: { document[$0] == .bool(false) }) { return false }
            }
        }
        return true
    }

    static func wrong(_ path: [String], _ expected: String, _ value: JSONValue) -> GrammarError {
        .malformed(what: "schema at \(place(path))", expected: expected, found: value.typeName)
    }

    static func list(_ value: JSONValue, _ path: [String]) throws(GrammarError) -> [JSONValue] {
        guard let list = value.arrayValue else { throw wrong(path, "an array", value) }
        return list
    }
}
