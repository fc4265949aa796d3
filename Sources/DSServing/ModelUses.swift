import Synchronization

/// Counts the requests that were given a model and may not have reached its engine yet. A model that is replaced is not
/// ended before they have.
package final class ModelUses: Sendable {
    private let storage = Atomic(0)

    package init() {}

    package var count: Int { storage.load(ordering: .acquiring) }

    /// Counts until the result is dropped.
    package func hold() -> Hold { Hold(self) }

    /// One that is counted.
    package final class Hold: Sendable {
        private let uses: ModelUses

        fileprivate init(_ uses: ModelUses) {
            self.uses = uses
            uses.storage.add(1, ordering: .acquiringAndReleasing)
        }

        deinit { uses.storage.subtract(1, ordering: .acquiringAndReleasing) }
    }
}
