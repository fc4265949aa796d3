internal import DSSupport

/// Keywords that narrow a shape.
extension JSONSchemaCompiler {
    mutating func narrow(
        _ keyword: String, _ value: JSONValue, _ object: JSONObject, _ shape: inout SchemaShape, _ path: [String]
    ) throws(GrammarError) {
        switch keyword {
        case "type": try assertType(value, &shape, path)
        case "enum": try keep(try Self.list(value, path), &shape, path)
        case "const": try keep([value], &shape, path)
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
            try assertNumber(keyword, value, object, &shape, path)
        case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
            try assertCount(keyword, try Self.count(value, path), &shape)
        case "pattern": shape.patterns.append(try Self.text(value, path))
        case "format":
            let format = try Self.text(value, path)
            if format == "regex" {
                throw .unsupported(keyword: keyword, path: Self.place(path), reason: "'regex'")
            }
            if !StringFormat.annotations.contains(format) { shape.formats.append(format) }
        case "required":
            // Draft 3 had a boolean here, in the property itself.
            for name in try Self.list(value, path) {
                guard case .string(let name) = name else { throw Self.wrong(path, "names", name) }
                try table.work.charge(1 + shape.required.count / 4)
                if !shape.required.contains(name) { shape.required.append(name) }
            }
        // What `not` is turned into.
        case "\u{1}excluded":
            shape.excluded += try Self.list(value, path)
            try table.work.charge(shape.excluded.count * (shape.literals?.count ?? 0))
            shape.literals = shape.literals?.filter { literal in
                !shape.excluded.contains { isEqual($0, literal) }
            }
        case "\u{1}forbidden":
            for case .string(let name) in try Self.list(value, path) { shape.forbidden.append(name) }
        case "\u{1}antipattern": shape.antipatterns.append(try Self.text(value, path))
        case "propertyNames": shape.names.append(document.name(value))
        case "contains": try assertContains(value, object, &shape, path)
        case "uniqueItems":
            if value == .bool(true), shape.maxItems ?? object["maxItems"]?.intValue ?? .max > 1 {
                throw unsupported(path, "items cannot be compared while they are written")
            }
        case "$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties", "minContains",
            "maxContains", "disallow", "extends":
            try assertUnsupported(keyword, value, object, path)
        default: break  // Annotations, layers (`addLayers`), and words that no draft knows.
        }
    }

    private func unsupported(_ path: [String], _ reason: String) -> GrammarError {
        .unsupported(keyword: path.last ?? "", path: Self.place(path), reason: reason)
    }

    private func assertUnsupported(
        _ keyword: String, _ value: JSONValue, _ object: JSONObject, _ path: [String]
    ) throws(GrammarError) {
        switch keyword {
        case "minContains", "maxContains": if object["contains"] == nil { return }
        case "unevaluatedItems", "unevaluatedProperties":
            if value == .bool(true) || value.objectValue?.isEmpty == true { return }
        default: break
        }
        throw unsupported(path, "it depends on more than the value and its schema")
    }

    private func assertType(_ value: JSONValue, _ shape: inout SchemaShape, _ path: [String]) throws(GrammarError) {
        var types: JSONTypes = []
        var hasInteger = false
        var hasNumber = false
        for name in value.arrayValue ?? [value] {
            guard let text = name.stringValue else { throw Self.wrong(path, "names of types", name) }
            guard let type = JSONTypes(name: text) else {
                throw .malformed(
                    what: "schema at \(Self.place(path))",
                    expected: "null, boolean, integer, number, string, array or object", found: "'\(text.prefix(60))'")
            }
            hasInteger = hasInteger || text == "integer"
            hasNumber = hasNumber || text == "number"
            types.formUnion(type)
        }
        shape.types.formIntersection(types)
        if hasInteger, !hasNumber { shape.isInteger = true }
    }

    private func keep(_ values: [JSONValue], _ shape: inout SchemaShape, _ path: [String]) throws(GrammarError) {
        for case .number(let number) in values where number.magnitude >= 0x1p63 {
            throw unsupported(path, "numbers of 2^63 and more are not read exactly")
        }
        if let literals = shape.literals {
            try table.work.charge(literals.count * values.count)
            shape.literals = literals.filter { literal in values.contains { isEqual($0, literal) } }
        } else {
            shape.literals = values
        }
        let types = (shape.literals ?? []).reduce(into: JSONTypes()) { $0.formUnion(JSONTypes(of: $1)) }
        shape.types.formIntersection(types)
    }

    private func assertNumber(
        _ keyword: String, _ value: JSONValue, _ object: JSONObject, _ shape: inout SchemaShape, _ path: [String]
    ) throws(GrammarError) {
        // Draft 4 marks a bound as exclusive by a boolean beside it.
        if case .bool = value, keyword.hasPrefix("exclusive") { return }
        guard value.doubleValue != nil else { throw Self.wrong(path, "a number", value) }
        if keyword == "multipleOf" {
            guard let divisor = value.intValue, divisor > 0, divisor <= 1_000_000_000 else {
                throw unsupported(path, "only whole numbers up to 1,000,000,000")
            }
            if divisor > 1 { shape.divisors.append(Int64(divisor)) } else { shape.isInteger = true }
            return
        }
        let isMinimum = keyword.hasSuffix("inimum")
        let flag = object[isMinimum ? "exclusiveMinimum" : "exclusiveMaximum"]?.boolValue ?? false
        guard let bound = DecimalBound(value, isExclusive: flag || keyword.hasPrefix("exclusive")) else { return }
        if isMinimum { shape.lower.append(bound) } else { shape.upper.append(bound) }
    }

    private func assertCount(_ keyword: String, _ count: Int, _ shape: inout SchemaShape) throws(GrammarError) {
        func least(_ old: Int?) -> Int { min(old ?? .max, count) }
        switch keyword {
        case "minLength": shape.minLength = max(shape.minLength, count)
        case "maxLength": shape.maxLength = least(shape.maxLength)
        case "minItems": shape.minItems = max(shape.minItems, count)
        case "maxItems": shape.maxItems = least(shape.maxItems)
        case "minProperties": shape.minProperties = max(shape.minProperties, count)
        default: shape.maxProperties = least(shape.maxProperties)
        }
    }

    private mutating func assertContains(
        _ value: JSONValue, _ object: JSONObject, _ shape: inout SchemaShape, _ path: [String]
    ) throws(GrammarError) {
        if object["minContains"]?.intValue == 0, object["maxContains"] == nil { return }
        guard object["minContains"]?.intValue ?? 1 == 1, object["maxContains"] == nil, shape.contains == nil else {
            throw unsupported(path, "more than one of them, or counts")
        }
        shape.contains = document.name(value)
    }

    private static func count(_ value: JSONValue, _ path: [String]) throws(GrammarError) -> Int {
        guard let count = value.intValue, count >= 0 else { throw wrong(path, "a number of at least 0", value) }
        guard count <= Int(Int32.max) else { throw .tooLarge(what: "count at \(place(path))", limit: Int(Int32.max)) }
        return count
    }

    private static func text(_ value: JSONValue, _ path: [String]) throws(GrammarError) -> String {
        guard let text = value.stringValue else { throw wrong(path, "a string", value) }
        return text
    }

    // MARK: Schemas of parts

    /// What a schema says of items and members, kept together: its parts look at each other.
    mutating func addLayers(
        _ object: JSONObject, _ shapes: [SchemaShape], _ path: [String]
    ) throws(GrammarError) -> [SchemaShape] {
        if document.refHidesSiblings, object["$ref"] != nil { return shapes }
        let array = try arrayLayer(object, path)
        let members = try objectLayer(object, path)
        guard array != nil || members != nil else { return shapes }
        return shapes.map { shape in
            var shape = shape
            if let array { shape.arrays.append(array) }
            if let members { shape.objects.append(members) }
            return shape
        }
    }

    private mutating func arrayLayer(
        _ object: JSONObject, _ path: [String]
    ) throws(GrammarError) -> SchemaShape.ArrayLayer? {
        var layer = SchemaShape.ArrayLayer()
        if let prefix = object["prefixItems"] {
            for schema in try Self.list(prefix, path + ["prefixItems"]) { layer.prefix.append(document.name(schema)) }
        }
        switch object["items"] {
        case .array(let schemas)?:
            for schema in schemas { layer.prefix.append(document.name(schema)) }
            layer.rest = object["additionalItems"].map { document.name($0) }
        case let schema?: layer.rest = document.name(schema)
        case nil: break
        }
        return layer.prefix.isEmpty && layer.rest == nil ? nil : layer
    }

    private mutating func objectLayer(
        _ object: JSONObject, _ path: [String]
    ) throws(GrammarError) -> SchemaShape.ObjectLayer? {
        var layer = SchemaShape.ObjectLayer()
        if let properties = object["properties"] {
            guard let members = properties.objectValue else {
                throw Self.wrong(path + ["properties"], "an object", properties)
            }
            for member in members.members { layer.add(member.key, document.name(member.value)) }
        }
        if let patterns = object["patternProperties"] {
            guard let members = patterns.objectValue else {
                throw Self.wrong(path + ["patternProperties"], "an object", patterns)
            }
            for member in members.members {
                layer.patterns.append((member.key.string, document.name(member.value)))
            }
        }
        layer.additional = object["additionalProperties"].map { document.name($0) }
        let isEmpty = layer.names.isEmpty && layer.patterns.isEmpty && layer.additional == nil
        return isEmpty ? nil : layer
    }
}
