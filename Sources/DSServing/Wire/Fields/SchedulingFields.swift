package import DSEngine
import DSSupport

/// The fields that say when a request runs and with whom it shares.
package struct SchedulingFields {
    package var priority = 0
    package var timeout: Duration?
    package var cacheSalt: String?

    /// The longest `timeout` in seconds.
    static let maximumTimeout = 7 * 86_400.0

    package init(_ fields: FieldReader) throws(APIError) {
        priority = try fields.integer("priority") ?? 0
        if let seconds = try fields.number("timeout") {
            guard seconds > 0, seconds <= Self.maximumTimeout else {
                throw .field(
                    fields.name("timeout"), expected: "seconds above 0, at most \(Int(Self.maximumTimeout))",
                    found: fields.value("timeout"))
            }
            timeout = .seconds(seconds)
        }
        if let salt = try fields.string("cache_salt") {
            // vLLM refuses it, too: an empty salt is a forgotten one.
            guard !salt.isEmpty else {
                throw .field(
                    fields.name("cache_salt"), expected: "a text that is not empty", found: fields.value("cache_salt"))
            }
            cacheSalt = salt
        }
    }

    package func apply(to options: inout TextOptions) {
        options.priority = priority
        options.timeout = timeout
        options.cacheSalt = cacheSalt
    }
}
