internal import DSSupport

extension JSONSchemaCompiler {
    mutating func array(_ shape: SchemaShape) throws(GrammarError) -> Term {
        if let maxItems = shape.maxItems, maxItems < shape.minItems { return .nothing }
        guard !shape.excluded.contains(where: { JSONTypes(of: $0) == .array }) else {
            throw .unsupported(keyword: "not", path: "an array", reason: "values of this type cannot be left out")
        }
        let prefixCount = shape.arrays.map(\.prefix.count).max() ?? 0
        let rest = try value(restItems(shape))
        if let contains = shape.contains { return try containing(contains, shape, prefixCount: prefixCount) }
        let places = min(prefixCount, shape.maxItems ?? .max)
        // From the end: what may follow place `index`, a comma before each item but the first.
        var tail = Term.empty
        if shape.maxItems ?? .max > prefixCount {
            let least = max(0, shape.minItems - prefixCount)
            let most = shape.maxItems.map { $0 - prefixCount }
            if prefixCount == 0 {
                return json.list("[", json.separated(rest, least, most), "]")
            }
            tail = json.table.repeated(json.table.sequence(json.comma, rest), least, most)
        }
        for index in (0..<places).reversed() {
            try table.work.charge(4 + shape.arrays.count)
            let item = try value(items(shape, at: index))
            let some = json.table.sequence([index == 0 ? .empty : json.comma, item, tail])
            tail = index >= shape.minItems ? json.table.optional(some) : some
        }
        return json.list("[", tail, "]")
    }

    /// The schemas of the item at a place.
    func items(_ shape: SchemaShape, at index: Int) -> [SchemaID] {
        shape.arrays.compactMap { index < $0.prefix.count ? $0.prefix[index] : $0.rest }
    }

    private func restItems(_ shape: SchemaShape) -> [SchemaID] { shape.arrays.compactMap(\.rest) }

    /// At least one item satisfies a schema.
    private mutating func containing(
        _ contains: SchemaID, _ shape: SchemaShape, prefixCount: Int
    ) throws(GrammarError) -> Term {
        guard prefixCount == 0, shape.minItems <= 1, shape.maxItems == nil else {
            throw .unsupported(
                keyword: "contains", path: "an array", reason: "beside prefixItems, minItems above 1 or maxItems")
        }
        let rest = restItems(shape)
        let item = try value(rest)
        let match = try value(rest + [contains])
        let before = json.table.repeated(json.table.sequence(item, json.comma), 0, nil)
        let after = json.table.repeated(json.table.sequence(json.comma, item), 0, nil)
        return json.list("[", json.table.sequence([before, match, after]), "]")
    }
}
