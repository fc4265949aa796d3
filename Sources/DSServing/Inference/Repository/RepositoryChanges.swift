/// What one look at a repository's folder changed.
package struct RepositoryChanges: Sendable {
    /// Models of which a version was loaded, or loaded anew.
    package var loaded: [String] = []
    package var removed: [String] = []
    /// Why a model, or the folder, is still as it was before.
    package var failures: [String] = []

    package init() {}
}
