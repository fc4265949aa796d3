import ArgumentParser
import DSModels
import Foundation

/// Which models are served, and under which names.
struct ModelSelection {
    struct Entry: Equatable {
        let name: String
        /// Nil: the model inside this program.
        let path: String?

        func open() throws -> LoadedModel { try path.map { try LoadedModel.open(path: $0) } ?? LoadedModel.embedded() }
    }

    let entries: [Entry]

    /// - Throws: `ValidationError` if there is no model at `path`, or two of one name.
    init(path: String?, servedName: String?) throws {
        if let servedName, servedName.isEmpty {
            throw ValidationError("--served-model-name: expected a name, found an empty text")
        }
        guard let path else {
            entries = [Entry(name: servedName ?? "deepseek", path: nil)]
            return
        }
        let paths = try ModelDirectoryListing.models(in: ModelPath.expanded(path))
        if servedName != nil, paths.count > 1 {
            throw ValidationError("--served-model-name: expected one model, found \(paths.count) in \(path)")
        }
        for (name, same) in Dictionary(grouping: paths, by: ModelDirectoryListing.name) where same.count > 1 {
            let list = same.joined(separator: ", ")
            throw ValidationError("\(path): expected one model per name, found \(list) for '\(name)'")
        }
        entries = paths.map { Entry(name: servedName ?? ModelDirectoryListing.name(of: $0), path: $0) }
    }
}
