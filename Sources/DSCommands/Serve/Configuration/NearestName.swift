/// Finds what a misspelt name was meant to be.
enum NearestName {
    /// The candidate with the smallest number of edits, if that is small for the length; nil otherwise.
    static func of(_ name: String, among candidates: [String]) -> String? {
        let scored = candidates.map { (name: $0, distance: distance(Array(name.utf8), Array($0.utf8))) }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, name.utf8.count / 3) ? best.name : nil
    }

    /// Levenshtein's distance: insertions, deletions and replacements.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let replaced = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
