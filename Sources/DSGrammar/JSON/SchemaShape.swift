internal import DSSupport

/// Names a schema of a document. Equal schemas have the same name, wherever they lie.
struct SchemaID: Hashable, Sendable, Comparable {
    let index: Int

    static func < (left: SchemaID, right: SchemaID) -> Bool { left.index < right.index }
}

/// What a conjunction of keywords leaves of all values: one type by one, with nothing left to choose.
///
/// A schema is a list of shapes, one per way through its `anyOf`, `oneOf` and the like.
struct SchemaShape: Sendable {
    var types = JSONTypes.all
    /// References whose schemas hold already: a schema that holds twice says no more.
    var references: Set<String> = []
    /// The values of `enum` and `const`.
    var literals: [JSONValue]?
    /// Values that `not` took away.
    var excluded: [JSONValue] = []

    // Numbers
    var isInteger = false
    var lower: [DecimalBound] = []
    var upper: [DecimalBound] = []
    var divisors: [Int64] = []

    // Strings
    var minLength = 0
    var maxLength: Int?
    var patterns: [String] = []
    var antipatterns: [String] = []
    var formats: [String] = []

    // Arrays
    var minItems = 0
    var maxItems: Int?
    var arrays: [ArrayLayer] = []
    var contains: SchemaID?

    // Objects
    var required: [JSONString] = []
    var forbidden: [JSONString] = []
    var minProperties = 0
    var maxProperties: Int?
    var objects: [ObjectLayer] = []
    var names: [SchemaID] = []

    /// `prefixItems` and `items` of one schema; those of several hold all at once.
    struct ArrayLayer: Sendable {
        var prefix: [SchemaID] = []
        var rest: SchemaID?
    }

    /// `properties`, `patternProperties` and `additionalProperties` of one schema: the latter looks only at its own.
    struct ObjectLayer: Sendable {
        /// In the order of the schema.
        private(set) var names: [JSONString] = []
        private(set) var properties: [JSONString: SchemaID] = [:]
        var patterns: [(pattern: String, schema: SchemaID)] = []
        var additional: SchemaID?

        mutating func add(_ name: JSONString, _ schema: SchemaID) {
            names.append(name)
            properties[name] = schema
        }
    }
}
