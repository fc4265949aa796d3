import DSSupport

/// Fields that say something about a request without changing its answer. Their types are checked, so that a mistake
/// does not pass unseen.
enum AcceptedFields {
    static func check(_ fields: FieldReader) throws(APIError) {
        for key in ["user", "service_tier", "prompt_cache_key", "safety_identifier", "verbosity", "cache_salt"] {
            _ = try fields.string(key)
        }
        _ = try fields.bool("store")
        _ = try fields.integer("priority")
        if let metadata = try fields.reader("metadata") {
            for member in metadata.object.members { _ = try metadata.string(member.key.string) }
        }
    }
}
