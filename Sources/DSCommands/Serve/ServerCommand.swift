package import ArgumentParser
import DSEngine
import DSModels
import DSServing
import Foundation
import Logging

/// `deepseek-server`: models behind the APIs that clients speak. `ServerProgram` gives it its arguments.
package struct ServerCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "deepseek-server",
        abstract: "Serve models over an OpenAI-compatible HTTP API.",
        discussion: """
            --model-dir is a model (a Hugging Face directory, a .gguf or a .ds file) or a directory of models, which are \
            served under their names. Without it the small model inside this program answers under the name `deepseek`.

            Every option can also be set by an environment variable (--max-batch-size: DEEPSEEK_MAX_BATCH_SIZE) and in a \
            YAML file (--config server.yaml, key max-batch-size). The command line wins over the environment, the \
            environment over the file. --print-config shows what is in effect and why.

            EXAMPLES
              deepseek-server
              deepseek-server ~/models/r1.gguf
              deepseek-server --model-dir=/models --port=8080 --host 0.0.0.0
              MODEL_PATH=~/models/r1.gguf PORT=9000 deepseek-server --served-model-name r1
              deepseek-server --config server.yaml --check-config
            """,
        version: Version.text)

    @Argument(help: "The same as --model-dir.", completion: .file())
    var model: String?
    @OptionGroup var sources: ConfigurationOptions
    @Option(
        name: [.customLong("model-dir"), .customLong("model-repository"), .customLong("model"), .customShort("m")],
        help: "A model, a directory of models or a Triton model repository (environment: MODEL_PATH, too).",
        completion: .directory)
    var modelDir: String?
    @Option(
        help: """
            Name under which a single model is served (default: its file's name). May be repeated: requests may use each of the \
            names; answers, metrics, V2 and gRPC have the first.
            """)
    var servedModelName: [String] = []
    @Option(help: "A Jinja chat template to use instead of the model's own.", completion: .file())
    var chatTemplate: String?
    @OptionGroup(title: "Network") var listen: ListenOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions
    @OptionGroup(title: "Keys") var access: AccessOptions
    @OptionGroup(title: "Lifecycle") var lifecycle: LifecycleOptions
    @OptionGroup(title: "Load") var scheduling: SchedulingOptions
    @OptionGroup(title: "Prefix cache") var prefixCache: PrefixCacheOptions
    @OptionGroup(title: "Embeddings") var embedding: EmbeddingOptions
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Observability") var observability: ObservabilityOptions

    package init() {}

    /// Everything that can be checked before a model is opened.
    func settings() throws -> ServerSettings {
        if let model, let modelDir {
            throw ValidationError("expected one model, found '\(model)' and --model-dir '\(modelDir)'")
        }
        let logger = try observability.logger()
        var server = DeepSeekServer.Configuration()
        try listen.apply(to: &server)
        server.livenessSeconds = lifecycle.livenessTimeout
        server.accessRule.metricsAreOpen = access.publicMetrics
        server.version = Version.text
        server.prefixCacheSharing = prefixCache.prefixCacheSharing
        server.observability = try observability.observability(logger)
        var configuration = try engine.configuration()
        configuration.computesEmbeddings = embedding.embeddings
        try scheduling.apply(to: &configuration)
        do {
            try configuration.validate()
        } catch {
            throw ValidationError(error.description)
        }
        return ServerSettings(
            server: server, engine: configuration, prefixCache: try prefixCache.checked(), pooling: embedding,
            models: try ModelSelection(
                path: model ?? modelDir, names: servedModelName, mayBeEmpty: repository.modelControlMode != .none),
            chatTemplate: try chatTemplate.map(Self.template), repository: try repository.checked(),
            keys: try access.source(),
            certificates: try tls.files(), refreshesCertificates: tls.enableSslRefresh,
            drainDelay: lifecycle.drainDelay, shutdownTimeout: lifecycle.shutdownTimeout, logger: logger)
    }

    private static func template(_ path: String) throws -> String {
        do {
            return try String(contentsOfFile: ModelPath.expanded(path), encoding: .utf8)
        } catch {
            throw ValidationError(
                "--chat-template: expected a readable file of text, found '\(path)': \(error.localizedDescription)")
        }
    }
}
