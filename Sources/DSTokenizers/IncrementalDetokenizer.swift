/// Turns a stream of ids into text that never ends inside a character: bytes wait until their character is complete.
public struct IncrementalDetokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecial: Bool
    private var pending: [UInt8] = []
    private var isFirst = true

    public init(_ tokenizer: Tokenizer, skipsSpecial: Bool = true) {
        self.tokenizer = tokenizer
        self.skipsSpecial = skipsSpecial
    }

    /// Bytes that wait for the rest of their character.
    public var pendingByteCount: Int { pending.count }

    /// The text that is complete with this id; empty while a character is unfinished.
    public mutating func push(_ id: Int32) throws(TokenizerError) -> String {
        String(decoding: try pushBytes(id), as: UTF8.self)
    }

    /// As `push`, as well-formed UTF-8.
    public mutating func pushBytes(_ id: Int32) throws(TokenizerError) -> [UInt8] {
        guard let bytes = try tokenizer.streamedBytes(id, isFirst: isFirst, skipsSpecial: skipsSpecial) else {
            return []
        }
        isFirst = false
        pending += bytes
        return takeComplete()
    }

    /// The rest: an unfinished character becomes U+FFFD. The detokenizer is as new afterwards.
    public mutating func flush() -> String {
        defer {
            pending = []
            isFirst = true
        }
        return String(decoding: pending, as: UTF8.self)
    }

    /// Splits off what can no longer change; malformed bytes become U+FFFD on the way.
    private mutating func takeComplete() -> [UInt8] {
        let tail = Self.unfinishedTail(pending)
        let complete = pending[..<(pending.count - tail)]
        defer { pending.removeFirst(complete.count) }
        if complete.withUnsafeBufferPointer({ UTF8Scalars.isWellFormed($0) }) { return Array(complete) }
        return Array(String(decoding: complete, as: UTF8.self).utf8)
    }

    /// Length of the last bytes if they begin a character that further bytes could complete.
    static func unfinishedTail(_ bytes: some BidirectionalCollection<UInt8>) -> Int {
        for length in 1...3 where length <= bytes.count {
            let tail = Array(bytes.suffix(length))
            let lead = tail[0]
            if lead & 0xC0 == 0x80 { continue }
            guard lead >= 0xC2, lead <= 0xF4, length < UTF8Scalars.length(lead) else { return 0 }
            // A second byte outside the lead's range can never become a character.
            let filled = tail + repeatElement(0x80, count: UTF8Scalars.length(lead) - length)
            if length > 1 {
                return filled.withUnsafeBufferPointer { UTF8Scalars.sequenceLength($0, 0) } > 0 ? length : 0
            }
            return length
        }
        return 0
    }
}
