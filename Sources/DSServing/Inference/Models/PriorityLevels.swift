/// Triton's levels of priority, 1 (the most urgent) to `count`, in the engine's numbers: there requests that name none have 0, and
/// smaller numbers come first.
package struct PriorityLevels: Sendable, Equatable {
    package let count: Int
    /// That of requests that name none.
    package let standard: Int

    package init(count: Int, standard: Int) {
        self.count = count
        self.standard = standard
    }

    /// - Parameter level: as a request names it; 0: the standard one.
    /// - Returns: `nil` for a level that there is not.
    package func priority(ofLevel level: Int) -> Int? {
        guard level != 0 else { return 0 }
        return (1...count).contains(level) ? level - standard : nil
    }
}
