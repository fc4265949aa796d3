import ArgumentParser
import Foundation

/// Files that commands write: complete or not at all, by renaming a neighbour.
enum OutputPath {
    /// Where the bytes go: symbolic links are followed, so that renaming replaces their target and not the link.
    static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    /// Whether something other than a regular file has this name, such as a device: a file must not take its place.
    static func isSpecial(_ path: String) -> Bool {
        guard let type = try? FileManager.default.attributesOfItem(atPath: resolved(path))[.type] as? FileAttributeType
        else { return false }
        return type != .typeRegular
    }

    /// Throws if a file of this name cannot take the place of what is there.
    static func check(_ path: String, option: String) throws {
        let folder = URL(fileURLWithPath: resolved(path)).deletingLastPathComponent().path
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw ValidationError("\(option): expected a name in a directory that exists, found no directory \(folder)")
        }
        guard !isSpecial(path) else {
            throw ValidationError(
                "\(option): expected a new name or a regular file, found a directory, a device or a pipe at \(path)")
        }
    }
}
