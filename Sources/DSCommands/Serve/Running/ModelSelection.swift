import ArgumentParser
import DSServing

/// Which models are served, and under which names.
struct ModelSelection {
    private let path: String?
    /// Of a single model, the first being its own.
    let names: [String]
    private let mayBeEmpty: Bool

    /// - Parameters:
    ///   - names: of a single model, if it shall not have its file's.
    ///   - mayBeEmpty: whether models may come later.
    /// - Throws: `ValidationError` if there is no model at `path`, or two of one name.
    init(path: String?, names: [String], mayBeEmpty: Bool) throws {
        if let name = names.first(where: { $0.allSatisfy(\.isWhitespace) }) {
            throw ValidationError(
                "--served-model-name: expected a name, found \(name.isEmpty ? "an empty text" : "nothing but spaces")")
        }
        if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ValidationError("--served-model-name: expected different names, found '\(name)' twice")
        }
        self.path = path.map { ModelPath.expanded($0) }
        self.names = names
        self.mayBeEmpty = mayBeEmpty
        do {
            _ = try scan()
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// What there is now. A folder that is empty all at once, an unmounted one perhaps, is an error unless it may be.
    func scan() throws(InferenceError) -> [RepositoryItem] {
        if let path {
            let items = try RepositoryScanner(path: path, name: names.first).scan()
            guard mayBeEmpty || !items.isEmpty else {
                throw .invalid(
                    "\(path): expected config.json, a .gguf or a .ds file, or directories that hold them; found none")
            }
            return items
        }
        let name = names.first ?? "deepseek"
        let source = ModelSource(
            name: name, versions: [1: .embedded], configuration: ModelConfiguration(name: name))
        return [RepositoryItem(name: name, source: .success(source))]
    }
}
