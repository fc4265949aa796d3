package import ArgumentParser
import DSEngine
import DSModels
import DSServing
import Foundation
import Logging

/// `deepseek-server`: models behind the APIs that clients speak.
package struct ServerCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "deepseek-server",
        abstract: "Serve models over an OpenAI-compatible HTTP API.",
        discussion: """
            --model-dir is a model (a Hugging Face directory, a .gguf or a .ds file) or a directory of models, which are \
            served under their names. Without it, and without MODEL_PATH, the small model inside this program answers \
            under the name `deepseek`. Flags win over the environment variables MODEL_PATH and PORT.

            EXAMPLES
              deepseek-server
              deepseek-server --model-dir=/models --port=8080 --host 0.0.0.0
              MODEL_PATH=~/models/r1.gguf PORT=9000 deepseek-server --served-model-name r1
            """,
        version: Version.text)

    @Option(help: "A model or a directory of models (environment: MODEL_PATH).", completion: .directory)
    var modelDir: String?
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes a free one (environment: PORT; default: 8080).")
    var port: Int?
    @Option(help: "Name under which a single model is served (default: its file's name).")
    var servedModelName: String?
    @Option(help: "Seconds until a connection is closed that is idle or whose request stops coming.")
    var idleTimeout = 60
    @Option(help: "Seconds after which a stream that waits for its model sends a comment; 0: never.")
    var sseKeepAliveInterval = 15
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"
    @OptionGroup(title: "Load") var scheduling: SchedulingOptions
    @OptionGroup(title: "Embeddings") var embedding: EmbeddingOptions
    @OptionGroup var engine: EngineOptions

    package init() {}

    package func run() async throws {
        guard let level = Logger.Level(rawValue: logLevel) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--log-level: expected one of \(known), found \(logLevel)")
        }
        var logger = Logger(label: "deepseek-server") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        let port = try self.port ?? Self.environmentPort() ?? 8080
        guard (0...65535).contains(port) else { throw ValidationError("--port: expected 0...65535, found \(port)") }
        try Limits.check(sseKeepAliveInterval, 0...86_400, "--sse-keep-alive-interval")
        try Limits.check(idleTimeout, 1...86_400, "--idle-timeout")
        if let servedModelName, servedModelName.isEmpty {
            throw ValidationError("--served-model-name: expected a name, found an empty text")
        }
        let models = try servedModels(logger)
        var configuration = DeepSeekServer.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.idleSeconds = idleTimeout
        configuration.keepAliveSeconds = sseKeepAliveInterval
        configuration.version = Version.text
        let server = DeepSeekServer(catalog: ModelCatalog(models), configuration: configuration, logger: logger)
        let host = host
        let log = logger
        let deadline = StopDeadline(models, logger)
        defer { deadline.disarm() }
        do {
            try await server.run { port in log.notice("listening on http://\(host):\(port)") }
        } catch {
            throw ServerFailure(description: "server on \(host):\(port): expected to listen and serve, found: \(error)")
        }
        for model in models { await model.generator.engine.shutdown() }
    }

    private static func environmentPort() throws -> Int? {
        guard let text = Environment["PORT"], !text.isEmpty else { return nil }
        guard let port = Int(text) else { throw ValidationError("PORT: expected a number, found \(text)") }
        return port
    }

    private func servedModels(_ logger: Logger) throws -> [ServedModel] {
        let path = modelDir ?? Environment["MODEL_PATH"].flatMap { $0.isEmpty ? nil : $0 }
        guard let path else {
            return [try serve(LoadedModel.embedded(), servedModelName ?? "deepseek", at: nil, logger)]
        }
        let paths = try ModelDirectoryListing.models(in: ModelPath.expanded(path))
        if servedModelName != nil, paths.count > 1 {
            throw ValidationError("--served-model-name: expected one model, found \(paths.count) in \(path)")
        }
        for (name, same) in Dictionary(grouping: paths, by: ModelDirectoryListing.name) where same.count > 1 {
            let list = same.joined(separator: ", ")
            throw ValidationError("\(path): expected one model per name, found \(list) for '\(name)'")
        }
        return try paths.map {
            try serve(LoadedModel.open(path: $0), servedModelName ?? ModelDirectoryListing.name(of: $0), at: $0, logger)
        }
    }

    private func serve(
        _ model: LoadedModel, _ name: String, at path: String?, _ logger: Logger
    ) throws -> ServedModel {
        var configuration = try engine.configuration()
        configuration.computesEmbeddings = embedding.embeddings
        scheduling.apply(to: &configuration)
        let generator = try TextGenerator(
            model: model, configuration: configuration, onPageIn: PageInLine.report())
        if let note = generator.engine.note { logger.warning("\(name): \(note)") }
        logger.notice(
            "serving '\(name)': \(model.configuration.architecture), context \(generator.engine.maximumContext)")
        return ServedModel(
            name: name, generator: generator, defaults: GenerationDefaults(model).sampling,
            created: Int(Date().timeIntervalSince1970), pooling: try embedding.pooling(ofModelAt: path))
    }
}

/// Finds models below a directory.
enum ModelDirectoryListing {
    /// The path itself if it is a model, else the models directly inside it, by name.
    static func models(in path: String) throws -> [String] {
        let manager = FileManager.default
        var isDirectory: ObjCBool = false
        guard manager.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ValidationError("\(path): expected a model or a directory of models, found nothing")
        }
        if !isDirectory.boolValue || isModel(path) { return [path] }
        let found = try manager.contentsOfDirectory(atPath: path).sorted().map { path + "/" + $0 }.filter(isModel)
        guard !found.isEmpty else {
            throw ValidationError(
                "\(path): expected config.json, a .gguf or a .ds file, or directories that hold them; found none")
        }
        return found
    }

    static func name(of path: String) -> String {
        let url = URL(fileURLWithPath: path)
        return isFile(path) ? url.deletingPathExtension().lastPathComponent : url.lastPathComponent
    }

    private static func isModel(_ path: String) -> Bool {
        isFile(path) ? true : FileManager.default.fileExists(atPath: path + "/config.json")
    }

    private static func isFile(_ path: String) -> Bool { path.hasSuffix(".gguf") || path.hasSuffix(".ds") }
}
