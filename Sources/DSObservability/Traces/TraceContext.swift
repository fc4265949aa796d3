/// Where in a trace something happens, as the W3C's `traceparent` header carries it from one program to the next.
package struct TraceContext: Sendable, Hashable {
    /// 32 and 16 lower-case hexadecimal digits, neither all zeros.
    package let traceID: String
    package let spanID: String
    package let isSampled: Bool
    /// The `tracestate` header, passed on as it came.
    package var state: String?

    package init(traceID: String, spanID: String, isSampled: Bool, state: String? = nil) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
        self.state = state
    }

    /// Nil for a header that the specification tells to ignore.
    package init?(traceparent: String, state: String? = nil) {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        // Later versions may append fields to the four of version 00.
        guard parts.count >= 4, let version = Self.hexadecimal(parts[0], digits: 2), version != "ff",
            version != "00" || parts.count == 4, let traceID = Self.hexadecimal(parts[1], digits: 32),
            let spanID = Self.hexadecimal(parts[2], digits: 16), let flags = Self.hexadecimal(parts[3], digits: 2),
            traceID.contains(where: { $0 != "0" }), spanID.contains(where: { $0 != "0" })
        else { return nil }
        self.init(
            traceID: traceID, spanID: spanID, isSampled: (UInt8(flags, radix: 16) ?? 0) & 1 == 1, state: state)
    }

    package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    private static func hexadecimal(_ text: Substring, digits: Int) -> String? {
        let isValid =
            text.utf8.count == digits
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isValid ? String(text) : nil
    }

    // MARK: New ids

    package static func newTraceID() -> String { newSpanID() + newSpanID() }

    package static func newSpanID() -> String {
        let text = String(UInt64.random(in: 1 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Whether a trace with this id is among the given fraction of all: every program that asks decides the same.
    package static func isSampled(_ traceID: String, ratio: Double) -> Bool {
        guard ratio < 1 else { return true }
        // The rightmost 56 bits are random, says the specification.
        let random = UInt64(traceID.suffix(14), radix: 16) ?? 0
        return Double(random) < ratio * Double(1 << 56 as UInt64)
    }
}
