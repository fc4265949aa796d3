/// Which of the versions in a model's folder are served.
package enum VersionPolicy: Sendable, Equatable {
    /// The highest ones.
    case latest(Int)
    case all
    case specific([Int])

    /// - Parameter available: the versions in the folder.
    /// - Throws: an error that names a version which is asked for and not there.
    package func chosen(from available: [Int], model: String) throws(InferenceError) -> [Int] {
        let sorted = available.sorted()
        switch self {
        case .latest(let count): return sorted.suffix(count)
        case .all: return sorted
        case .specific(let wanted):
            if let missing = wanted.first(where: { !available.contains($0) }) {
                throw .invalid(
                    "model '\(model)': version_policy: expected folders for the versions \(wanted), found none for \(missing)"
                )
            }
            return wanted.sorted()
        }
    }
}
