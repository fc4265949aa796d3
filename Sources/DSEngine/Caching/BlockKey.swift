import DSSupport

/// Names the content of one block of the key/value cache: a SHA-256 digest over everything that the block's rows follow from
/// (`BlockHasher`). Equal keys mean equal bits (where answers serve prompts, equal up to rounding), so a key's content never has to be
/// compared.
package struct BlockKey: Hashable, Sendable, CustomStringConvertible {
    /// The digest's bytes, eight at a time, the first one lowest.
    package let words: (UInt64, UInt64, UInt64, UInt64)

    /// `nil` unless there are 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] |= UInt64(byte) << (8 * UInt64(index % 8)) }
        self.words = (words[0], words[1], words[2], words[3])
    }

    package static let byteCount = 32

    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
        }
    }

    /// 64 hexadecimal digits: a name for files and objects.
    package var description: String { bytes.hexadecimal }

    package static func == (left: BlockKey, right: BlockKey) -> Bool { left.words == right.words }

    // Digests are spread evenly: one word tells them apart.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
