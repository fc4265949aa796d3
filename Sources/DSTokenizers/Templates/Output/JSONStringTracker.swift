/// Whether a place in JSON text that arrives byte by byte lies inside a string.
struct JSONStringTracker: Sendable {
    private(set) var isInString = false
    private var isEscaped = false

    mutating func push(_ byte: UInt8) {
        if !isInString {
            isInString = byte == UInt8(ascii: "\"")
        } else if isEscaped {
            isEscaped = false
        } else {
            isEscaped = byte == UInt8(ascii: "\\")
            isInString = byte != UInt8(ascii: "\"")
        }
    }
}
