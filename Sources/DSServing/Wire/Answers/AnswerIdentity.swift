package import DSSupport

/// The identity that all objects of one answer share.
package struct AnswerIdentity: Sendable {
    package let id: String
    package let created: Int
    package let model: String
    /// Says which configuration answered.
    package let fingerprint: String?
    /// The part of the id behind its prefix.
    package let name: String

    /// - Parameter name: what the client calls its request; `nil` draws a name.
    package init(prefix: String, model: String, created: Int, name: String? = nil, fingerprint: String? = nil) {
        self.name = name ?? Self.randomName()
        id = prefix + self.name
        self.created = created
        self.model = model
        self.fingerprint = fingerprint
    }

    package static func randomName() -> String {
        let hexadecimal = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal
    }

    /// The members that every object starts with.
    package func object(_ kind: String) -> JSONObject {
        var object = JSONObject([
            ("id", .text(id)), ("object", .text(kind)), ("created", .integer(Int64(created))), ("model", .text(model)),
        ])
        if let fingerprint { object.insert("system_fingerprint", .text(fingerprint)) }
        return object
    }
}
