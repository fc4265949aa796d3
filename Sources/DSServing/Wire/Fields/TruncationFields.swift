package import DSEngine

/// Whether a prompt that is too long is shortened; without the field it is an error.
package struct TruncationFields: Sendable {
    /// Tokens that stay; `nil` until it is known what fits.
    private var count: Int?
    private let side: PromptTruncation.Side

    package init?(_ fields: FieldReader) throws(APIError) {
        let word = try fields.string("truncation_side")
        guard let side = PromptTruncation.Side(rawValue: word ?? "left") else {
            throw .field(
                fields.name("truncation_side"), expected: "\"left\" or \"right\"",
                found: fields.value("truncation_side"))
        }
        self.side = side
        guard let count = try fields.integer("truncate_prompt_tokens") else { return nil }
        guard count == -1 || count > 0 else {
            throw .field(
                fields.name("truncate_prompt_tokens"), expected: "-1 (what fits) or an integer of at least 1",
                found: fields.value("truncate_prompt_tokens"))
        }
        self.count = count == -1 ? nil : count
    }

    mutating func resolve(context: Int, reserved: Int) {
        if count == nil { count = max(1, context - min(context, reserved)) }
    }

    package var value: PromptTruncation? { count.map { PromptTruncation(count: $0, side: side) } }
}
