import DSEngine
import DSServing
import Logging

/// All that the options say, checked.
struct ServerSettings {
    var server: DeepSeekServer.Configuration
    var engine: EngineConfiguration
    /// Where computed prompts are kept below memory.
    var prefixCache: PrefixCacheOptions
    /// How embeddings are made of hidden states.
    var pooling: EmbeddingOptions
    var models: ModelSelection
    /// Used instead of the models' own.
    var chatTemplate: String?
    var repository: RepositoryOptions
    var keys: KeySource
    var certificates: CertificateStore.Files?
    /// Whether certificate files are looked at for changes.
    var refreshesCertificates: Bool
    /// Seconds.
    var drainDelay: Int
    /// Seconds.
    var shutdownTimeout: Int
    var logger: Logger
}
