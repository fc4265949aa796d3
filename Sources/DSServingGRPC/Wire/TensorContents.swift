import DSServing

/// `InferTensorContents`: the elements of one tensor in the message itself.
enum TensorContents {
    /// The elements as the little-endian bytes of their type.
    static func bytes(
        _ message: ArraySlice<UInt8>, of datatype: TensorDatatype, input: String
    ) throws(InferenceError) -> [UInt8] {
        guard let expected = fieldNumber(datatype) else {
            throw .invalid("input '\(input)': expected raw_input_contents for \(datatype.rawValue), found contents")
        }
        var bytes: [UInt8] = []
        var reader = WireReader(message)
        while let (number, value) = try reader.next() {
            guard number == expected else {
                throw .invalid(
                    "input '\(input)': expected contents of \(datatype.rawValue) (field \(expected)), found field \(number)"
                )
            }
            switch datatype {
            case .bool: bytes += try value.integers(input).map { $0 == 0 ? 0 : 1 }
            case .int8: try append(value, Int8.self, to: &bytes, input)
            case .int16: try append(value, Int16.self, to: &bytes, input)
            case .int32: try append(value, Int32.self, to: &bytes, input)
            case .int64: try append(value, Int64.self, to: &bytes, input)
            case .uint8: try append(value, UInt8.self, to: &bytes, input)
            case .uint16: try append(value, UInt16.self, to: &bytes, input)
            case .uint32: try append(value, UInt32.self, to: &bytes, input)
            case .uint64: try append(value, UInt64.self, to: &bytes, input)
            // Packed numbers of fixed size are the bytes that are wanted; WireTensor checks their count.
            case .fp32, .fp64:
                switch value {
                case .bytes(let packed): bytes += packed
                case .fixed32(let bits): bytes.append(littleEndian: bits)
                case .fixed64(let bits): bytes.append(littleEndian: bits)
                case .number: throw WireReader.malformed("numbers of fixed size for '\(input)'")
                }
            case .bytes:
                let string = try value.data(input)
                bytes.append(littleEndian: UInt32(truncatingIfNeeded: string.count))
                bytes += string
            case .fp16, .bf16: break
            }
        }
        return bytes
    }

    private static func fieldNumber(_ datatype: TensorDatatype) -> Int? {
        switch datatype {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .uint8, .uint16, .uint32: 4
        case .uint64: 5
        case .fp32: 6
        case .fp64: 7
        case .bytes: 8
        case .fp16, .bf16: nil
        }
    }

    private static func append<Element: FixedWidthInteger>(
        _ value: WireReader.Value, _ type: Element.Type, to bytes: inout [UInt8], _ input: String
    ) throws(InferenceError) {
        for bits in try value.integers(input) {
            let element = Element.isSigned ? Element(exactly: Int64(bitPattern: bits)) : Element(exactly: bits)
            guard let element else {
                throw .invalid("input '\(input)': expected integers in \(Element.min)...\(Element.max), found another")
            }
            bytes.append(littleEndian: element)
        }
    }
}
