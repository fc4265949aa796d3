import ArgumentParser
import Foundation

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
