extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits per byte, as digests are written.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension Array<UInt8> {
    /// `nil` unless the text is pairs of hexadecimal digits, of either case, and nothing else.
    package init?(hexadecimal text: some StringProtocol) {
        var values: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39: values.append(byte - 0x30)
            case 0x41...0x46: values.append(byte - 0x41 + 10)
            case 0x61...0x66: values.append(byte - 0x61 + 10)
            default: return nil
            }
        }
        guard values.count % 2 == 0 else { return nil }
        self = stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
