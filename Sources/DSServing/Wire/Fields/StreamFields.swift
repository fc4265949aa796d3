/// Whether and how an answer is streamed.
package struct StreamFields: Sendable {
    package var isOn: Bool
    /// The stream ends with an event that counts the tokens.
    package var includesUsage = false
    /// Every event counts the tokens so far.
    package var countsContinuously = false

    package init(_ fields: FieldReader) throws(APIError) {
        isOn = try fields.bool("stream") ?? false
        guard let options = try fields.reader("stream_options") else { return }
        includesUsage = try options.bool("include_usage") ?? false
        countsContinuously = try options.bool("continuous_usage_stats") ?? false
    }
}
