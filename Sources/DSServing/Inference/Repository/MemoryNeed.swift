import DSSupport
import Foundation

/// How much memory a model needs before it answers: its files, which are mapped and read whole, and its cache.
package enum MemoryNeed {
    /// Room for plans, intermediate results and the tokenizer.
    private static let overhead = 64 << 20

    /// - Parameter cacheBytes: of the key/value cache; `nil`: an eighth of the files.
    package static func estimate(_ location: ModelSource.Location, cacheBytes: Int?) -> Int {
        guard case .path(let path) = location else { return 0 }
        let files = size(of: path)
        return files + (cacheBytes ?? files / 8) + overhead
    }

    /// Refuses a model that does not fit.
    /// - Parameter available: `nil`: the system does not say.
    package static func check(model: String, need: Int, available: Int?) throws(InferenceError) {
        guard let available, need > available else { return }
        throw InferenceError(
            .unavailable,
            "model '\(model)': expected \(need >> 20) MiB of free memory, found \(available >> 20) MiB; unload another model first"
        )
    }

    private static func size(of path: String) -> Int {
        // Links are followed: repositories are often made of them.
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let manager = FileManager.default
        guard let entries = try? manager.contentsOfDirectory(atPath: path) else {
            return (try? manager.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
        }
        return entries.reduce(0) { $0 + size(of: path + "/" + $1) }
    }
}
