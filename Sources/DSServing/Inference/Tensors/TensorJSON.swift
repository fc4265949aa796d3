package import DSSupport

/// Tensor data in JSON: flat or nested, in row-major order.
extension WireTensor {
    /// Reads the `data` of a request's tensor.
    package init(
        name: String, datatype: TensorDatatype, shape: [Int], data: JSONValue
    ) throws(InferenceError) {
        guard datatype != .fp16, datatype != .bf16 else {
            throw .invalid(
                "tensor '\(name)': expected binary data, for \(datatype.rawValue) has no form in JSON; found JSON data")
        }
        var reader = Reader(name: name, datatype: datatype)
        let expected = try Self.elementCount(of: shape, name: name)
        try reader.read(data, depth: 0)
        guard reader.count == expected else {
            throw .invalid("tensor '\(name)': expected \(expected) elements for shape \(shape), found \(reader.count)")
        }
        try self.init(name: name, datatype: datatype, shape: shape, bytes: reader.bytes)
    }

    /// The `data` of an answer's tensor, flat.
    package func jsonData() throws(InferenceError) -> JSONValue {
        switch datatype {
        case .bool: .array(bytes.map { .bool($0 != 0) })
        case .uint8: .array(bytes.map { .integer(Int64($0)) })
        case .int8: .array(bytes.map { .integer(Int64(Int8(bitPattern: $0))) })
        case .uint16: .array(integers(UInt16.self).map { .integer(Int64($0)) })
        case .int16: .array(integers(Int16.self).map { .integer(Int64($0)) })
        case .uint32: .array(integers(UInt32.self).map { .integer(Int64($0)) })
        case .int32: .array(integers(Int32.self).map { .integer(Int64($0)) })
        case .int64: .array(integers(Int64.self).map { .integer($0) })
        case .uint64: .array(try integers(UInt64.self).map { value throws(InferenceError) in try exact(value) })
        case .fp32:
            .array(
                try integers(UInt32.self).map { bits throws(InferenceError) in
                    try finite(Double(Float(bitPattern: bits)))
                })
        case .fp64:
            .array(
                try integers(UInt64.self).map { bits throws(InferenceError) in try finite(Double(bitPattern: bits)) })
        case .bytes:
            .array(try strings.map { string throws(InferenceError) in try text(string) })
        case .fp16, .bf16: throw noJSON("\(datatype.rawValue) elements")
        }
    }

    private func exact(_ value: UInt64) throws(InferenceError) -> JSONValue {
        guard let value = Int64(exactly: value) else { throw noJSON("\(value)") }
        return .integer(value)
    }

    private func finite(_ value: Double) throws(InferenceError) -> JSONValue {
        guard value.isFinite else { throw noJSON("\(value)") }
        return .number(value)
    }

    private func text(_ bytes: [UInt8]) throws(InferenceError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw noJSON("bytes that are not UTF-8") }
        return .string(JSONString(bytes: bytes))
    }

    private func noJSON(_ found: String) -> InferenceError {
        .invalid(
            "output '\(name)': expected values that JSON can hold, found \(found); ask for binary data with the parameter binary_data"
        )
    }
}

/// Appends elements of JSON arrays to little-endian bytes.
private struct Reader {
    let name: String
    let datatype: TensorDatatype
    var bytes: [UInt8] = []
    var count = 0

    init(name: String, datatype: TensorDatatype) {
        self.name = name
        self.datatype = datatype
    }

    mutating func read(_ value: JSONValue, depth: Int) throws(InferenceError) {
        if let elements = value.arrayValue {
            for element in elements { try read(element, depth: depth + 1) }
            return
        }
        count += 1
        switch datatype {
        case .bool:
            // Clients write 0 and 1, too.
            if let value = value.boolValue {
                bytes.append(value ? 1 : 0)
            } else if let number = value.intValue, number == 0 || number == 1 {
                bytes.append(UInt8(number))
            } else {
                throw wrong(value, "true or false")
            }
        case .uint8: try append(value, UInt8.self)
        case .uint16: try append(value, UInt16.self)
        case .uint32: try append(value, UInt32.self)
        case .uint64: try append(value, UInt64.self)
        case .int8: try append(value, Int8.self)
        case .int16: try append(value, Int16.self)
        case .int32: try append(value, Int32.self)
        case .int64: try append(value, Int64.self)
        case .fp32: bytes.append(littleEndian: Float(try number(value)).bitPattern)
        case .fp64: bytes.append(littleEndian: try number(value).bitPattern)
        case .bytes:
            guard let string = value.bytesValue, let length = UInt32(exactly: string.count) else {
                throw wrong(value, "a string")
            }
            bytes.append(littleEndian: length)
            bytes += string
        case .fp16, .bf16: throw wrong(value, "binary data")
        }
    }

    private mutating func append<Element: FixedWidthInteger>(
        _ value: JSONValue, _ type: Element.Type
    ) throws(InferenceError) {
        guard let number = value.intValue, let element = Element(exactly: number) else {
            throw wrong(value, "an integer in \(Element.min)...\(Element.max)")
        }
        bytes.append(littleEndian: element)
    }

    private func number(_ value: JSONValue) throws(InferenceError) -> Double {
        guard let number = value.doubleValue else { throw wrong(value, "a number") }
        return number
    }

    private func wrong(_ value: JSONValue, _ expected: String) -> InferenceError {
        .invalid(
            "tensor '\(name)': expected \(expected) for element \(count - 1) of \(datatype.rawValue), found \(value.typeName)"
        )
    }
}
