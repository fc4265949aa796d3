internal import DSSupport

extension JSONSchemaCompiler {
    /// Members in the order of the schema, then those that it does not name.
    mutating func object(_ shape: SchemaShape) throws(GrammarError) -> Term {
        guard !shape.excluded.contains(where: { JSONTypes(of: $0) == .object }) else {
            throw .unsupported(keyword: "not", path: "an object", reason: "values of this type cannot be left out")
        }
        if let most = shape.maxProperties, most < shape.minProperties { return .nothing }
        var members: [(term: Term, isRequired: Bool)] = []
        let required = Set(shape.required)
        for name in try declaredNames(shape) {
            let isRequired = required.contains(name)
            guard try admitsName(name, shape) else {
                if isRequired { return .nothing }
                continue
            }
            let value = try value(schemas(of: name, shape))
            members.append(
                (json.table.sequence([json.literal(.string(name)), json.colon, value]), isRequired))
        }
        let others = try otherMember(shape)
        let body =
            try shape.minProperties > 0 || shape.maxProperties != nil
            ? countedMembers(members, others, shape) : plainMembers(members, others)
        return json.list("{", body, "}")
    }

    /// Names in the order in which they are written.
    func declaredNames(_ shape: SchemaShape) throws(GrammarError) -> [JSONString] {
        var names: [JSONString] = []
        var seen: Set<JSONString> = []
        for layer in shape.objects {
            for name in layer.names where seen.insert(name).inserted { names.append(name) }
        }
        for name in shape.required where seen.insert(name).inserted { names.append(name) }
        return names
    }

    /// The schemas that the member of a name has to satisfy.
    mutating func schemas(of name: JSONString, _ shape: SchemaShape) throws(GrammarError) -> [SchemaID] {
        var result: [SchemaID] = []
        for layer in shape.objects {
            try table.work.charge(4 + 4 * layer.patterns.count)
            var isKnown = false
            if let schema = layer.properties[name] {
                result.append(schema)
                isKnown = true
            }
            for (pattern, schema) in layer.patterns {
                guard try matches(pattern, name.bytes) else { continue }
                result.append(schema)
                isKnown = true
            }
            if !isKnown, let additional = layer.additional { result.append(additional) }
        }
        return result
    }

    mutating func admitsName(_ name: JSONString, _ shape: SchemaShape) throws(GrammarError) -> Bool {
        try table.work.charge(4 + shape.forbidden.count / 4)
        if shape.forbidden.contains(name) { return false }
        if shape.names.isEmpty { return true }
        return try admits(.string(name), shape.names)
    }

    // MARK: Sequences of members

    /// Each member follows a comma if one came before it.
    private mutating func plainMembers(_ members: [(term: Term, isRequired: Bool)], _ others: Term) -> Term {
        // What may follow, if members came before and if none did.
        var later = json.table.repeated(json.table.sequence(json.comma, others), 0, nil)
        var first = json.separated(others, 0, nil)
        for member in members.reversed() {
            let asLater = json.table.sequence([json.comma, member.term, later])
            let asFirst = json.table.sequence(member.term, later)
            later = member.isRequired ? asLater : json.table.either(asLater, later)
            first = member.isRequired ? asFirst : json.table.either(asFirst, first)
        }
        return first
    }

    /// As above, with a count of the members so far.
    private mutating func countedMembers(
        _ members: [(term: Term, isRequired: Bool)], _ others: Term, _ shape: SchemaShape
    ) throws(GrammarError) -> Term {
        let least = shape.minProperties
        let most = shape.maxProperties
        // Other members could repeat a name, and then count once.
        guard others == .nothing || least <= members.count(where: { $0.isRequired }) + 1 else {
            throw .unsupported(
                keyword: "minProperties", path: "an object",
                reason: "names that the schema does not list could repeat each other")
        }
        let top = most.map { $0 + 1 } ?? least
        guard top * (members.count + 1) <= limits.terms / 16 else {
            throw .tooLarge(what: "counts of properties", limit: limits.terms / 16)
        }
        /// By the number of members so far; numbers above `top` count as `top`.
        var tails: [Term] = []
        for count in 0...top {
            if let most, count > most {
                tails.append(.nothing)
            } else if count == 0 {
                tails.append(json.separated(others, least, most))
            } else {
                tails.append(
                    json.table.repeated(
                        json.table.sequence(json.comma, others), max(0, least - count), most.map { $0 - count }))
            }
        }
        for member in members.reversed() {
            if let failure = table.failure { throw failure }
            tails = tails.indices.map { count in
                let after = tails[min(count + 1, top)]
                let present = json.table.sequence([count == 0 ? .empty : json.comma, member.term, after])
                return member.isRequired ? present : json.table.either(present, tails[count])
            }
        }
        return tails[0]
    }

    // MARK: Members that are not declared

    /// A member whose name the schema does not list; nothing if there may be none.
    private mutating func otherMember(_ shape: SchemaShape) throws(GrammarError) -> Term {
        let declared = try declaredNames(shape)
        let saysOthers = shape.objects.contains { $0.additional != nil || !$0.patterns.isEmpty }
        if closesObjects, !declared.isEmpty, !saysOthers, shape.minProperties <= declared.count { return .nothing }
        let patterns = Array(Set(shape.objects.flatMap { $0.patterns.map(\.pattern) })).sorted()
        guard patterns.count <= 6 else {
            throw .unsupported(
                keyword: "patternProperties", path: "an object", reason: "more than 6 patterns, which may overlap")
        }
        var members: [Term] = []
        for choice in 0..<(1 << patterns.count) {
            let chosen = Set(patterns.indices.filter { choice >> $0 & 1 == 1 }.map { patterns[$0] })
            guard let values = otherSchemas(shape, chosen) else { continue }
            if let failure = table.failure { throw failure }
            let name = try otherName(shape, declared, chosen, patterns)
            let value = values.isEmpty ? json.anyValue() : try value(values)
            members.append(json.table.sequence([name, json.colon, value]))
        }
        return json.table.either(members)
    }

    /// The schemas of a member whose name matches just these patterns; nil if there is none.
    private mutating func otherSchemas(_ shape: SchemaShape, _ chosen: Set<String>) -> [SchemaID]? {
        var result: [SchemaID] = []
        for layer in shape.objects {
            let matching = layer.patterns.filter { chosen.contains($0.pattern) }.map(\.schema)
            result += matching
            if matching.isEmpty, let additional = layer.additional { result.append(additional) }
        }
        if result.contains(where: { document[$0] == .bool(false) }) { return nil }
        return result.filter { document[$0] != .bool(true) }
    }

    private mutating func otherName(
        _ shape: SchemaShape, _ declared: [JSONString], _ chosen: Set<String>, _ patterns: [String]
    ) throws(GrammarError) -> Term {
        let taken = declared + shape.forbidden
        if taken.isEmpty, patterns.isEmpty, shape.names.isEmpty { return json.string() }
        let builder = RegexTermBuilder(json.table, encoding: .json)
        var parts = [builder.anything()]
        for pattern in patterns {
            let term = try builder.search(try parse(pattern))
            parts.append(chosen.contains(pattern) ? term : json.table.complement(term))
        }
        if !taken.isEmpty {
            let texts = taken.map { spelled($0.bytes, .json) }
            parts.append(json.table.complement(json.table.anyLiteral(texts)))
        }
        if !shape.names.isEmpty {
            var names: [Term] = []
            for shape in try shapes(of: shape.names) where shape.types.contains(.string) {
                names.append(try canonicalBody(shape))
            }
            parts.append(json.table.either(names))
        }
        return json.quoted(json.table.both(parts))
    }

    /// As `stringBody`, one spelling per character in any case.
    private mutating func canonicalBody(_ shape: SchemaShape) throws(GrammarError) -> Term {
        var shape = shape
        if shape.patterns.isEmpty { shape.patterns = [""] }
        return try stringBody(shape, encoding: .json)
    }
}
