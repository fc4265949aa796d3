import ArgumentParser
import DSServing

/// Which models are served, and under which names.
struct ModelSelection {
    private let path: String?
    private let servedName: String?

    /// - Parameter mayBeEmpty: whether models may come later.
    /// - Throws: `ValidationError` if there is no model at `path`, or two of one name.
    init(path: String?, servedName: String?, mayBeEmpty: Bool) throws {
        if let servedName, servedName.isEmpty {
            throw ValidationError("--served-model-name: expected a name, found an empty text")
        }
        self.path = path.map { ModelPath.expanded($0) }
        self.servedName = servedName
        let items: [RepositoryItem]
        do {
            items = try scan()
        } catch let error as InferenceError {
            throw ValidationError(error.message)
        }
        guard mayBeEmpty || !items.isEmpty else {
            throw ValidationError(
                "\(path ?? ""): expected config.json, a .gguf or a .ds file, or directories that hold them; found none")
        }
    }

    /// What there is now.
    func scan() throws -> [RepositoryItem] {
        if let path { return try RepositoryScanner(path: path, name: servedName).scan() }
        let name = servedName ?? "deepseek"
        let source = ModelSource(
            name: name, versions: [1: .embedded], configuration: ModelConfiguration(name: name))
        return [RepositoryItem(name: name, source: .success(source))]
    }
}
