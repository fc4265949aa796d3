import ArgumentParser
import DSServing

/// Which models of a repository are loaded, and how the V2 protocol is served beside HTTP.
struct RepositoryOptions: ParsableArguments {
    @Option(
        help:
            "Who decides which models are loaded: none (all at the start; SIGHUP looks again), explicit (requests under /v2/repository) or poll (changes in --model-dir)."
    )
    var modelControlMode = ModelControlMode.none
    @Option(help: "With --model-control-mode explicit: a model to load at the start; * for all. Repeatable.")
    var loadModel: [String] = []
    @Option(help: "With --model-control-mode poll: seconds between two looks at --model-dir.")
    var repositoryPollSecs = 15
    @Option(help: "Models that may be loaded at the same time; the one idle longest makes room. (default: no limit)")
    var maxLoadedModels: Int?
    @Option(help: "Port for the V2 inference protocol over gRPC; 0 takes a free one. (default: none; Triton's is 8001)")
    var grpcPort: Int?
    @Flag(help: "Serve the small tensor models that the examples of Triton's client expect.")
    var conformanceModels = false

    enum ModelControlMode: String, ExpressibleByArgument, CaseIterable {
        case none, explicit, poll
    }

    func validate() throws {
        try Limits.check(repositoryPollSecs, 1...86_400, "--repository-poll-secs")
        try Limits.check(maxLoadedModels, 1...Limits.sequences, "--max-loaded-models")
        try Limits.check(grpcPort, 0...65535, "--grpc-port")
    }

    /// What the options say together, checked.
    func checked() throws -> RepositoryOptions {
        guard loadModel.isEmpty || modelControlMode == .explicit else {
            throw ValidationError(
                "--load-model: expected --model-control-mode explicit, found \(modelControlMode.rawValue)")
        }
        return self
    }

    var options: ModelRepository.Options {
        var options = ModelRepository.Options()
        options.mode =
            switch modelControlMode {
            case .none: .none
            case .explicit: .explicit
            case .poll: .poll
            }
        options.maximumLoaded = maxLoadedModels
        return options
    }
}
