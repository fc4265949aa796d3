/// Any text in which certain others do not occur.
package struct FreeText: Hashable, Sendable {
    package var excluded: [String]
    /// Unicode scalars, at most.
    package var maximumLength: Int?

    package init(without excluded: [String] = [], maximumLength: Int? = nil) {
        self.excluded = excluded
        self.maximumLength = maximumLength
    }
}
