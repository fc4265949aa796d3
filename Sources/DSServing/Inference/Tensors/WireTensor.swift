/// A tensor as it travels: name, type, shape and little-endian bytes. INVARIANT: the bytes are exactly the elements that type
/// and shape promise.
package struct WireTensor: Sendable, Equatable {
    package let name: String
    package let datatype: TensorDatatype
    package let shape: [Int]
    package let bytes: [UInt8]

    package var elementCount: Int { shape.reduce(1, *) }

    /// - Throws: an error that names the tensor if the bytes are not what shape and type promise.
    package init(
        name: String, datatype: TensorDatatype, shape: [Int], bytes: [UInt8]
    ) throws(InferenceError) {
        let count = try Self.elementCount(of: shape, name: name)
        if let size = datatype.elementSize {
            let (expected, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, bytes.count == expected else {
                throw .invalid(
                    "tensor '\(name)': expected \(count) elements of \(datatype.rawValue) (\(overflow ? "too many" : "\(expected)") bytes) for shape \(shape), found \(bytes.count) bytes"
                )
            }
        } else {
            let found = try Self.countStrings(bytes, name: name)
            guard found == count else {
                throw .invalid("tensor '\(name)': expected \(count) strings for shape \(shape), found \(found)")
            }
        }
        self.init(name: name, checked: datatype, shape: shape, bytes: bytes)
    }

    private init(name: String, checked datatype: TensorDatatype, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.bytes = bytes
    }

    /// Strings as a tensor of shape [count], or of `shape`, which must have as many elements.
    package init(name: String, strings: [[UInt8]], shape: [Int]? = nil) {
        let shape = shape ?? [strings.count]
        precondition(shape.reduce(1, *) == strings.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(strings.reduce(0) { $0 + $1.count + 4 })
        for string in strings {
            bytes.append(littleEndian: UInt32(truncatingIfNeeded: string.count))
            bytes += string
        }
        self.init(name: name, checked: .bytes, shape: shape, bytes: bytes)
    }

    /// Numbers as a tensor; `shape` must have as many elements.
    package init<Element: FixedWidthInteger>(
        name: String, datatype: TensorDatatype, shape: [Int], elements: [Element]
    ) {
        precondition(shape.reduce(1, *) == elements.count && datatype.elementSize == Element.bitWidth / 8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(elements.count * Element.bitWidth / 8)
        for element in elements { bytes.append(littleEndian: element) }
        self.init(name: name, checked: datatype, shape: shape, bytes: bytes)
    }

    /// The same elements under another name or shape; the shape must have as many elements.
    package func renamed(_ name: String, shape: [Int]? = nil) -> WireTensor {
        let shape = shape ?? self.shape
        precondition(shape.reduce(1, *) == elementCount)
        return WireTensor(name: name, checked: datatype, shape: shape, bytes: bytes)
    }

    /// The elements of a type of fixed size, as integers of that size.
    package func integers<Element: FixedWidthInteger>(_ type: Element.Type = Element.self) -> [Element] {
        precondition(datatype.elementSize == Element.bitWidth / 8)
        return (0..<elementCount).map { bytes.littleEndian(at: $0 * Element.bitWidth / 8) }
    }

    /// The elements of a `bytes` tensor.
    package var strings: [[UInt8]] {
        var strings: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(bytes.littleEndian(at: offset) as UInt32)
            strings.append(Array(bytes[(offset + 4)..<(offset + 4 + length)]))
            offset += 4 + length
        }
        return strings
    }

    /// The number of elements; an error if a dimension is negative or the product does not fit.
    static func elementCount(of shape: [Int], name: String) throws(InferenceError) -> Int {
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else {
                throw .invalid("tensor '\(name)': expected dimensions of at least 0 that fit memory, found \(shape)")
            }
            count = product
        }
        return count
    }

    private static func countStrings(_ bytes: [UInt8], name: String) throws(InferenceError) -> Int {
        var count = 0
        var offset = 0
        while offset < bytes.count {
            guard offset + 4 <= bytes.count else {
                throw .invalid("tensor '\(name)': expected a length of 4 bytes at byte \(offset), found the end")
            }
            let length = Int(bytes.littleEndian(at: offset) as UInt32)
            guard length <= bytes.count - offset - 4 else {
                throw .invalid(
                    "tensor '\(name)': expected a string of \(length) bytes at byte \(offset), found \(bytes.count - offset - 4)"
                )
            }
            offset += 4 + length
            count += 1
        }
        return count
    }
}

extension [UInt8] {
    package mutating func append(littleEndian value: some FixedWidthInteger) {
        var value = value
        for _ in 0..<(value.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: value))
            value = value.bitWidth > 8 ? value >> 8 : 0
        }
    }

    package func littleEndian<Value: FixedWidthInteger>(at offset: Int) -> Value {
        var value: Value = 0
        for index in stride(from: Value.bitWidth / 8 - 1, through: 0, by: -1) {
            if Value.bitWidth > 8 { value <<= 8 }
            value |= Value(truncatingIfNeeded: self[offset + index])
        }
        return value
    }
}
