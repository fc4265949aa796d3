internal import DSSupport

/// Whether values are valid: decides which of the values of `enum` and `const` remain.
extension JSONSchemaCompiler {
    /// Whether a value satisfies all of these schemas.
    mutating func admits(_ value: JSONValue, _ ids: [SchemaID]) throws(GrammarError) -> Bool {
        for shape in try shapes(of: ids) {
            try table.work.charge(4 + (shape.literals?.count ?? 0))
            if let literals = shape.literals, !literals.contains(where: { isEqual($0, value) }) { continue }
            if try admits(value, shape) { return true }
        }
        return false
    }

    /// Whether a value satisfies a shape, its list of values aside.
    mutating func admits(_ value: JSONValue, _ shape: SchemaShape) throws(GrammarError) -> Bool {
        try table.work.charge(8 + shape.excluded.count)
        guard shape.types.contains(JSONTypes(of: value)),
            !shape.excluded.contains(where: { isEqual($0, value) })
        else { return false }
        switch value {
        case .null, .bool: return true
        case .integer, .number: return admitsNumber(value, shape)
        case .string(let text): return try admitsString(text, shape)
        case .array(let elements): return try admitsArray(elements, shape)
        case .object(let object): return try admitsObject(object, shape)
        }
    }

    /// 1 and 1.0 are the same value.
    func isEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        table.work.spend(1)
        // The answer does not matter any more.
        guard !table.work.isExhausted else { return false }
        return switch (left, right) {
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { isEqual($0, $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.members.allSatisfy { member in right[member.key].map { isEqual(member.value, $0) } ?? false }
        case (.integer, .number), (.number, .integer): left.doubleValue == right.doubleValue
        default: left == right
        }
    }

    private func admitsNumber(_ value: JSONValue, _ shape: SchemaShape) -> Bool {
        if shape.isInteger, let number = value.doubleValue, number.rounded() != number { return false }
        guard let found = DecimalBound(value, isExclusive: false) else { return false }
        let isAbove = shape.lower.allSatisfy { bound in
            let order = found.compared(with: bound)
            return order > 0 || order == 0 && !bound.isExclusive
        }
        let isBelow = shape.upper.allSatisfy { bound in
            let order = found.compared(with: bound)
            return order < 0 || order == 0 && !bound.isExclusive
        }
        let isMultiple = shape.divisors.allSatisfy { divisor in
            value.intValue.map { Int64($0) % divisor == 0 } ?? false
        }
        return isAbove && isBelow && isMultiple
    }

    private mutating func admitsString(_ text: JSONString, _ shape: SchemaShape) throws(GrammarError) -> Bool {
        try table.work.charge(text.bytes.count / 4)
        let length = text.string.unicodeScalars.count
        guard length >= shape.minLength, length <= shape.maxLength ?? .max else { return false }
        for pattern in shape.patterns where try !matches(pattern, text.bytes) { return false }
        for pattern in shape.antipatterns where try matches(pattern, text.bytes) { return false }
        for format in shape.formats where try !follows(format, text.bytes) { return false }
        return true
    }

    private mutating func admitsArray(_ elements: [JSONValue], _ shape: SchemaShape) throws(GrammarError) -> Bool {
        guard elements.count >= shape.minItems, elements.count <= shape.maxItems ?? .max else { return false }
        for (index, element) in elements.enumerated() where try !admits(element, items(shape, at: index)) {
            return false
        }
        guard let contains = shape.contains else { return true }
        for element in elements where try admits(element, [contains]) { return true }
        return false
    }

    private mutating func admitsObject(_ object: JSONObject, _ shape: SchemaShape) throws(GrammarError) -> Bool {
        guard object.count >= shape.minProperties, object.count <= shape.maxProperties ?? .max,
            shape.required.allSatisfy({ object[$0] != nil })
        else { return false }
        try table.work.charge(2 * shape.required.count)
        for member in object.members {
            guard try admitsName(member.key, shape), try admits(member.value, schemas(of: member.key, shape)) else {
                return false
            }
        }
        return true
    }
}

extension DecimalBound {
    /// Below, at or above 0 as this number is less than, equal to or greater than the other.
    func compared(with other: DecimalBound) -> Int {
        if isNegative != other.isNegative { return isNegative ? -1 : 1 }
        let order = comparedMagnitude(with: other)
        return isNegative ? -order : order
    }

    private func comparedMagnitude(with other: DecimalBound) -> Int {
        if integer.count != other.integer.count { return integer.count < other.integer.count ? -1 : 1 }
        if integer != other.integer { return integer.lexicographicallyPrecedes(other.integer) ? -1 : 1 }
        if fraction == other.fraction { return 0 }
        return fraction.lexicographicallyPrecedes(other.fraction) ? -1 : 1
    }
}
