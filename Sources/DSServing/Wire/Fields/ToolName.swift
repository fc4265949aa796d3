import DSSupport

/// What a function may be called: nothing that a model's markup, which holds names and arguments apart, could be taken for.
enum ToolName {
    private static let longest = 256
    private static let marks = Set("_-./:".unicodeScalars)

    /// The field `name` of a function.
    static func read(_ function: FieldReader) throws(APIError) -> String {
        let name = try function.requiredString("name")
        let scalars = name.unicodeScalars
        let isPlain = scalars.allSatisfy {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || marks.contains($0)
        }
        guard isPlain, (1...longest).contains(scalars.count) else {
            throw .field(
                function.name("name"), expected: "1...\(longest) letters, digits, '_', '-', '.', '/' and ':'",
                found: function.value("name"))
        }
        return name
    }
}
