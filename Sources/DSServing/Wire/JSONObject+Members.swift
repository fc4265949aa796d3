import DSSupport

extension JSONObject {
    /// The same as the initialiser from a sequence, for literals: their type is known without looking at the values.
    init(_ members: [(JSONString, JSONValue)]) {
        self.init()
        for (key, value) in members { insert(key, value) }
    }
}
