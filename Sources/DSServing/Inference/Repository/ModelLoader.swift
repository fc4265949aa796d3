import DSEngine

/// How a repository makes models of files. Given by whoever knows formats and engines.
package struct ModelLoader: Sendable {
    /// Opens a model; blocks while it does.
    package let open:
        @Sendable (_ name: String, _ location: ModelSource.Location, _ scheduling: LanguageModelScheduling) throws ->
            ServedModel
    /// Bytes of memory that the model will need.
    package let need: @Sendable (ModelSource.Location) -> Int

    package init(
        open:
            @escaping @Sendable (
                _ name: String, _ location: ModelSource.Location, _ scheduling: LanguageModelScheduling
            ) throws -> ServedModel,
        need: @escaping @Sendable (ModelSource.Location) -> Int
    ) {
        self.open = open
        self.need = need
    }
}
