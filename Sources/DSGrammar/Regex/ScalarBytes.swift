/// Byte sequences of a set of scalars: UTF-8, one set of bytes per place.
///
/// A range of scalars falls into pieces in which each place has its bytes independently of the others (as in RE2).
enum ScalarBytes {
    static func sequences(_ set: ScalarRanges) -> [[ClosedRange<UInt8>]] {
        var result: [[ClosedRange<UInt8>]] = []
        for range in set.ranges {
            for (low, high) in [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)] {
                let start = max(range.lowerBound, UInt32(low))
                let end = min(range.upperBound, UInt32(high))
                if start <= end { split(start, end, into: &result) }
            }
        }
        return result
    }

    /// - Parameters: scalars whose encodings have the same length.
    private static func split(_ start: UInt32, _ end: UInt32, into result: inout [[ClosedRange<UInt8>]]) {
        for places in 1..<4 {
            let mask: UInt32 = (1 << (6 * UInt32(places))) - 1
            // The last places must run over all bytes unless everything before them is one sequence.
            guard start & ~mask != end & ~mask else { continue }
            if start & mask != 0 {
                split(start, start | mask, into: &result)
                split((start | mask) + 1, end, into: &result)
                return
            }
            if end & mask != mask {
                split(start, (end & ~mask) - 1, into: &result)
                split(end & ~mask, end, into: &result)
                return
            }
        }
        result.append(zip(utf8(start), utf8(end)).map { $0...$1 })
    }

    static func utf8(_ scalar: UInt32) -> [UInt8] {
        Unicode.Scalar(scalar).map { Array(String(Character($0)).utf8) } ?? []
    }
}
