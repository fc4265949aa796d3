package import DSSupport

/// A structural tag: tags with structured content, between them mostly free text. In vLLM's older form (`structures` and
/// `triggers`) or xgrammar's tree (`format`).
package struct StructuralTagSource: Hashable, Sendable {
    /// The JSON text: equal texts compile once.
    let text: [UInt8]

    package init(_ value: JSONValue) { text = value.serialized() }
}
