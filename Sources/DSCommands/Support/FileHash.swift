import Crypto
import DSSupport
import Foundation

/// SHA-256 of files, read in pieces.
enum FileHash {
    private static let pieceBytes = 8 << 20

    /// The regular files of a model: the file itself, or a directory's own files in order of their names.
    static func files(of path: String) -> [String] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return [] }
        guard isDirectory.boolValue else { return [path] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().map { path + "/" + $0 }.filter {
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: $0, isDirectory: &isDirectory) && !isDirectory.boolValue
        }
    }

    static func sha256(of path: String) throws -> String {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        let size = Int(try handle.seekToEnd())
        try handle.seek(toOffset: 0)
        var hash = SHA256()
        var progress = ProgressLine(path, total: max(size >> 20, 1), unit: "MiB")
        var done = 0
        while let piece = try handle.read(upToCount: pieceBytes), !piece.isEmpty {
            hash.update(data: piece)
            done += piece.count
            progress.update(min(done >> 20, max(size >> 20, 1)))
        }
        return hash.finalize().hexadecimal
    }
}
