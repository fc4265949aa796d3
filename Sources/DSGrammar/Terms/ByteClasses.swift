/// Bytes that no term of a table tells apart, as one class each.
struct ByteClasses: Sendable {
    private(set) var classes = [UInt8](repeating: 0, count: 256)
    /// A byte of each class.
    private(set) var representatives: [UInt8] = [0]

    init() {}

    init(_ shapes: [TermShape], text: [UInt8]) {
        var sets: Set<ByteSet> = []
        var single = ByteSet(text)
        for shape in shapes {
            if case .bytes(let set) = shape { sets.insert(set) }
            if case .remainder = shape { for digit in UInt8(0x30)...0x39 { single.insert(digit) } }
        }
        for set in sets { refine { set.contains($0) ? 1 : 0 } }
        refine { single.contains($0) ? Int($0) + 1 : 0 }
    }

    private mutating func refine(_ key: (UInt8) -> Int) {
        var numbers: [SIMD2<Int>: UInt8] = [:]
        representatives.removeAll(keepingCapacity: true)
        for byte in UInt8.min ... .max {
            let pair = SIMD2(Int(classes[Int(byte)]), key(byte))
            if let number = numbers[pair] {
                classes[Int(byte)] = number
            } else {
                let number = UInt8(representatives.count)
                numbers[pair] = number
                representatives.append(byte)
                classes[Int(byte)] = number
            }
        }
    }

    var count: Int { representatives.count }
}
