package import DSSupport

/// What an answer has to look like. Parts can be put together, so that a schema may stand inside other markup.
package indirect enum GrammarSource: Hashable, Sendable {
    /// Any JSON object.
    case jsonObject(JSONWhitespace = .optionalSpace)
    /// A JSON value that a schema describes.
    case jsonSchema(JSONSchemaSource)
    /// A text that a regular expression (ECMA 262, as in JSON Schema) matches as a whole.
    case regex(String)
    case choice([String])
    /// A grammar in llama.cpp's GBNF, or the EBNF that xgrammar reads; the rule `root` is where it starts.
    case gbnf(String)
    /// This text.
    case text(String)
    /// The control token of this spelling if the vocabulary has it, otherwise the text.
    case marker(String)
    case token(Int32)
    /// The value of a string schema as it is, without quotes and escapes, where the text `end` cannot occur in it.
    case bareString(JSONSchemaSource, end: String)
    case structuralTag(StructuralTagSource)
    case freeText(FreeText)
    /// Free text that ends with a mark, where none of `firstOf` has ended before it.
    case freeTextThrough(String, firstOf: [String], FreeText)
    /// This text, in letters or with control tokens for their spellings.
    case spelled(String)
    /// This text with control tokens for their spellings; nothing if there is none in it.
    case spelledWithTokens(String)
    case sequence([GrammarSource])
    case either([GrammarSource])
    case repeated(GrammarSource, atLeast: Int, atMost: Int?)
}

/// Where a JSON text may have white space. It is bounded everywhere, so that no model can go on with spaces for ever.
package enum JSONWhitespace: Hashable, Sendable {
    /// Nowhere.
    case none
    /// One space after each comma and colon, or none.
    case optionalSpace
    /// Between any two parts up to so many spaces and line breaks.
    case upTo(Int)
}

/// A JSON schema, or a part of one, that a text shall satisfy.
package struct JSONSchemaSource: Hashable, Sendable {
    /// The schema's text: equal texts compile once. Names in `properties` keep their order.
    let text: [UInt8]
    /// Of the text, which the parts of one document share.
    private let textHash: Int
    /// Where in the document the schema lies, as the reference tokens of a JSON pointer; references count from the root.
    private(set) var path: [String]
    let whitespace: JSONWhitespace
    /// Objects whose schema lists properties and does not say anything of others get no others. A schema allows them,
    /// and a model asked for certain properties rarely means to add some.
    let closesObjects: Bool
    private(set) var kinds: Kinds
    /// Whose schema it is, for errors; equal schemas are one, whosever they are.
    private let owner: String?

    /// Types of values that remain.
    package enum Kinds: Hashable, Sendable {
        case all
        /// Everything but strings.
        case others
        case objects
    }

    package init(
        _ schema: JSONValue, path: [String] = [], whitespace: JSONWhitespace = .optionalSpace,
        closesObjects: Bool = true, kinds: Kinds = .all, owner: String? = nil
    ) {
        text = schema.serialized()
        textHash = text.hashValue
        self.path = path
        self.whitespace = whitespace
        self.closesObjects = closesObjects
        self.kinds = kinds
        self.owner = owner
    }

    /// Another part of the same document.
    package func part(_ path: [String], kinds: Kinds = .all) -> JSONSchemaSource {
        var result = self
        result.path = path
        result.kinds = kinds
        return result
    }

    /// The same error, with whose schema it is about.
    func attributed(_ error: GrammarError) -> GrammarError { owner.map(error.inside) ?? error }

    package static func == (left: Self, right: Self) -> Bool {
        left.textHash == right.textHash && left.path == right.path && left.whitespace == right.whitespace
            && left.closesObjects == right.closesObjects && left.kinds == right.kinds && left.text == right.text
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(textHash)
        hasher.combine(path)
        hasher.combine(whitespace)
        hasher.combine(closesObjects)
        hasher.combine(kinds)
    }
}
