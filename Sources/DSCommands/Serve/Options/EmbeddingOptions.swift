import ArgumentParser
import DSEngine
import DSSupport
import Foundation

/// Options of `/v1/embeddings`.
struct EmbeddingOptions: ParsableArguments {
    @Flag(help: "Serve /v1/embeddings.")
    var embeddings = false
    @Option(
        help: "What makes a text's vector: last, mean or cls. (default: the model's 1_Pooling/config.json, else last)")
    var pooling: PoolingOption?

    enum PoolingOption: String, ExpressibleByArgument, CaseIterable {
        case last, mean, cls
    }

    /// How the model at `path` was trained to be pooled, unless an option says something else.
    func pooling(ofModelAt path: String?) throws -> Pooling {
        switch pooling {
        case .last: return .last
        case .mean: return .mean
        case .cls: return .cls
        case nil: break
        }
        guard let path, let data = FileManager.default.contents(atPath: path + "/1_Pooling/config.json") else {
            return .last
        }
        let config = try JSONValue.parse([UInt8](data))
        let modes: [(String, Pooling)] = [
            ("pooling_mode_lasttoken", .last), ("pooling_mode_mean_tokens", .mean), ("pooling_mode_cls_token", .cls),
        ]
        let found = modes.filter { config[$0.0]?.boolValue == true }.map(\.1)
        guard found.count == 1 else {
            throw ValidationError(
                "\(path)/1_Pooling/config.json: expected one of last token, mean and first token; --pooling chooses")
        }
        return found[0]
    }
}
