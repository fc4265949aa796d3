import DSSupport
import Foundation

/// Finds the models below a path: Triton's layout (`model/config.pbtxt`, `model/1/…`), plain files and Hugging Face folders.
package struct RepositoryScanner: Sendable {
    private let path: String
    /// The name of a single model, instead of its file's.
    private let name: String?

    package init(path: String, name: String? = nil) {
        self.path = path
        self.name = name
    }

    /// - Throws: an error if there is no such folder, or two models of one name.
    package func scan() throws(InferenceError) -> [RepositoryItem] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .invalid("\(path): expected a model or a directory of models, found nothing")
        }
        if let item = item(at: path) { return [item] }
        var items: [RepositoryItem] = []
        for entry in Self.entries(of: path) {
            guard let item = item(at: path + "/" + entry) else { continue }
            if items.contains(where: { $0.name == item.name }) {
                throw .invalid("\(path): expected one model per name, found several for '\(item.name)'")
            }
            items.append(item)
        }
        if let name {
            guard items.count == 1, let item = items.first else {
                throw .invalid("\(path): expected one model for the name '\(name)', found \(items.count)")
            }
            return [RepositoryItem(name: name, source: renamed(item, name))]
        }
        return items
    }

    private func renamed(_ item: RepositoryItem, _ name: String) -> Result<ModelSource, InferenceError> {
        item.source.map { source in
            var configuration = source.configuration
            configuration.name = name
            return ModelSource(
                name: name, versions: source.versions, configuration: configuration, fingerprint: source.fingerprint)
        }
    }

    /// The model at a path; `nil` if there is none.
    private func item(at path: String) -> RepositoryItem? {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        let single = path == self.path ? name : nil
        if Self.isModelFile(path), !Self.isFolder(path) {
            let stem = single ?? String(last.prefix(upTo: last.lastIndex(of: ".") ?? last.endIndex))
            return plain(stem, path)
        }
        guard Self.isFolder(path) else { return nil }
        let versions = Self.entries(of: path).compactMap { Int($0) }.filter {
            $0 > 0 && Self.isFolder("\(path)/\($0)")
        }
        if versions.isEmpty, !Self.exists(path + "/config.pbtxt") {
            return Self.exists(path + "/config.json") ? plain(single ?? last, path) : nil
        }
        let found = single ?? last
        do throws(InferenceError) {
            return RepositoryItem(name: found, source: .success(try versioned(found, path, versions)))
        } catch {
            return RepositoryItem(name: found, source: .failure(error))
        }
    }

    private func plain(_ name: String, _ path: String) -> RepositoryItem {
        let source = ModelSource(
            name: name, versions: [1: .path(path)], configuration: ModelConfiguration(name: name),
            fingerprint: Self.fingerprint(path))
        return RepositoryItem(name: name, source: .success(source))
    }

    private func versioned(
        _ name: String, _ path: String, _ versions: [Int]
    ) throws(InferenceError) -> ModelSource {
        let configuration = try Self.configuration(name, path)
        var locations: [Int: ModelSource.Location] = [:]
        for version in versions { locations[version] = Self.location("\(path)/\(version)", configuration) }
        return ModelSource(
            name: name, versions: locations, configuration: configuration, fingerprint: Self.fingerprint(path))
    }

    private static func configuration(_ name: String, _ path: String) throws(InferenceError) -> ModelConfiguration {
        if exists(path + "/config.pbtxt") {
            let file = path + "/config.pbtxt"
            return try ModelConfiguration(text: try read(file), name: name, source: file)
        }
        let file = path + "/config.json"
        guard exists(file) else { return ModelConfiguration(name: name) }
        do {
            return try ModelConfiguration(json: try JSONValue.parse(try read(file)), name: name, source: file)
        } catch let error as JSONError {
            throw .invalid("\(file): \(error.description)")
        } catch let error as InferenceError {
            throw error
        } catch {
            throw .invalid("\(file): expected a configuration in JSON, found: \(error)")
        }
    }

    /// The model in a version's folder.
    private static func location(_ folder: String, _ configuration: ModelConfiguration) -> ModelSource.Location {
        if let file = configuration.defaultFilename { return .path(folder + "/" + file) }
        if exists(folder + "/config.json") { return .path(folder) }
        let files = entries(of: folder).filter(isModelFile)
        let named = files.first { $0.hasPrefix("model.") } ?? files.first
        return named.map { .path(folder + "/" + $0) } ?? .missing(folder: folder)
    }

    private static func read(_ path: String) throws(InferenceError) -> [UInt8] {
        let limit = 1 << 20
        guard let data = FileManager.default.contents(atPath: path), data.count <= limit else {
            throw .invalid("\(path): expected a file of at most \(limit) bytes that can be read, found none")
        }
        return Array(data)
    }

    /// Names, sizes, times and inodes of everything below a path, three levels deep. Links are followed: a file that a
    /// link leads to may be replaced, too.
    private static func fingerprint(_ path: String, depth: Int = 0) -> String {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: target)
        let size = attributes?[.size] as? Int ?? 0
        let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        let inode = attributes?[.systemFileNumber] as? Int ?? 0
        guard isFolder(path), depth < 3 else { return "\(size)@\(time)#\(inode)" }
        return entries(of: path).map { "\($0)=\(fingerprint(path + "/" + $0, depth: depth + 1))" }
            .joined(separator: ";")
    }

    private static func entries(of path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    private static func isModelFile(_ path: String) -> Bool { path.hasSuffix(".gguf") || path.hasSuffix(".ds") }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func isFolder(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}
