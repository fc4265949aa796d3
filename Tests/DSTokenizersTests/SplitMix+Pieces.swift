import DSTestSupport

extension SplitMix {
    /// The bytes in order, cut at random places.
    mutating func pieces(of bytes: [UInt8], upTo longest: Int) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + below(longest))
            pieces.append(bytes[start..<end])
            start = end
        }
        return pieces
    }
}
