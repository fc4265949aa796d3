/// The architectures that this build knows.
package enum ModelRegistry {
    private static let architectures: [any Architecture.Type] = [
        DeepSeek.self, DeepSeekV2.self, DeepSeekV3.self, Llama.self, Qwen2.self, Qwen3.self,
    ]

    private static var dialects: [any GGUFDialect.Type] {
        [
            DeepSeekDialect.self, DeepSeek2Dialect.self, DenseDialect.self,
        ]
    }

    /// Every supported `model_type`, sorted.
    package static var supportedNames: [String] { architectures.flatMap { $0.modelTypes }.sorted() }

    package static func architecture(named name: String) throws(ModelError) -> any Architecture.Type {
        guard let match = architectures.first(where: { $0.modelTypes.contains(name) }) else {
            throw .unsupportedArchitecture(name: name, supported: supportedNames)
        }
        return match
    }

    package static func dialect(named name: String) throws(ModelError) -> any GGUFDialect.Type {
        guard let match = dialects.first(where: { $0.names.contains(name) }) else {
            throw .unsupportedArchitecture(name: "GGUF \(name)", supported: dialects.flatMap { $0.names }.sorted())
        }
        return match
    }
}
