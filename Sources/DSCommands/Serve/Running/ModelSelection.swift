import ArgumentParser
import DSServing

/// Which models are served, and under which names.
struct ModelSelection {
    private let path: String?
    private let servedName: String?
    private let mayBeEmpty: Bool

    /// - Parameter mayBeEmpty: whether models may come later.
    /// - Throws: `ValidationError` if there is no model at `path`, or two of one name.
    init(path: String?, servedName: String?, mayBeEmpty: Bool) throws {
        if let servedName, servedName.isEmpty {
            throw ValidationError("--served-model-name: expected a name, found an empty text")
        }
        self.path = path.map { ModelPath.expanded($0) }
        self.servedName = servedName
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
            let items = try RepositoryScanner(path: path, name: servedName).scan()
            guard mayBeEmpty || !items.isEmpty else {
                throw .invalid(
                    "\(path): expected config.json, a .gguf or a .ds file, or directories that hold them; found none")
            }
            return items
        }
        let name = servedName ?? "deepseek"
        let source = ModelSource(
            name: name, versions: [1: .embedded], configuration: ModelConfiguration(name: name))
        return [RepositoryItem(name: name, source: .success(source))]
    }
}
