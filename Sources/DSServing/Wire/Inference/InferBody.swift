import DSSupport

/// The body of `POST /v2/models/{model}/infer`: JSON, JSON with binary tensors behind it, or one raw tensor.
struct InferBody {
    let request: InferenceRequest
    /// Outputs that say nothing else are answered in binary form.
    let prefersBinary: Bool

    /// - Parameters:
    ///   - headerLength: bytes of JSON (`Inference-Header-Content-Length`); `nil`: all, 0: a raw tensor.
    ///   - memory: where inputs lie that are not in the body.
    init(
        _ body: [UInt8], headerLength: Int?, configuration: ModelConfiguration, memory: SharedMemoryRegions
    ) throws {
        if headerLength == 0 {
            request = InferenceRequest(inputs: [try Self.rawTensor(body, configuration)])
            prefersBinary = true
            return
        }
        let length = headerLength ?? body.count
        guard length <= body.count else {
            throw InferenceError.invalid(
                "Inference-Header-Content-Length: expected at most the \(body.count) bytes of the body, found \(length)"
            )
        }
        let fields = try FieldReader(body: Array(body[..<length]))
        var binary = BinaryTail(bytes: body[length...])
        let list = try fields.array("inputs") ?? []
        var inputs: [WireTensor] = []
        for (index, value) in list.enumerated() {
            guard let object = value.objectValue else {
                throw APIError.field("inputs[\(index)]", expected: "an object", found: value)
            }
            inputs.append(
                try Self.tensor(FieldReader(object, path: "inputs[\(index)]."), &binary, memory))
        }
        guard binary.isEmpty else {
            throw InferenceError.invalid(
                "binary data: expected \(binary.used) bytes for the inputs with binary_data_size, found \(binary.total)"
            )
        }
        var request = InferenceRequest(inputs: inputs)
        request.id = try fields.string("id") ?? ""
        var parameters = try fields.reader("parameters")?.object ?? JSONObject()
        prefersBinary = try FieldReader(parameters, path: "parameters.").bool("binary_data_output") ?? false
        parameters["binary_data_output"] = nil
        request.parameters = parameters
        request.outputs = try Self.outputs(fields)
        self.request = request
    }

    private static func tensor(
        _ fields: FieldReader, _ binary: inout BinaryTail, _ memory: SharedMemoryRegions
    ) throws -> WireTensor {
        let name = try fields.requiredString("name")
        let typeName = try fields.requiredString("datatype")
        guard let datatype = TensorDatatype(rawValue: typeName) else {
            let known = TensorDatatype.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError.field(fields.name("datatype"), expected: "one of \(known)", found: fields.value("datatype"))
        }
        let dimensions = try fields.array("shape") ?? []
        let shape = dimensions.compactMap(\.intValue)
        guard fields.value("shape") != nil, shape.count == dimensions.count else {
            throw APIError.field(fields.name("shape"), expected: "an array of integers", found: fields.value("shape"))
        }
        let parameters = try fields.reader("parameters")
        if let region = try parameters?.string("shared_memory_region") {
            let bytes = try memory.read(
                region, offset: try parameters?.integer("shared_memory_offset") ?? 0,
                count: try parameters?.integer("shared_memory_byte_size") ?? 0)
            return try WireTensor(name: name, datatype: datatype, shape: shape, bytes: bytes)
        }
        if let size = try parameters?.integer("binary_data_size") {
            return try WireTensor(
                name: name, datatype: datatype, shape: shape, bytes: try binary.take(size, for: name))
        }
        guard let data = fields.value("data") else {
            throw APIError.field(fields.name("data"), expected: "an array", found: nil)
        }
        return try WireTensor(name: name, datatype: datatype, shape: shape, data: data)
    }

    private static func outputs(_ fields: FieldReader) throws -> [InferenceRequest.Output] {
        try (fields.array("outputs") ?? []).enumerated().map { index, value in
            guard let object = value.objectValue else {
                throw APIError.field("outputs[\(index)]", expected: "an object", found: value)
            }
            let output = FieldReader(object, path: "outputs[\(index)].")
            return try InferenceRequest.Output(
                name: try output.requiredString("name"),
                parameters: try output.reader("parameters")?.object ?? JSONObject())
        }
    }

    /// The whole body as the model's only input. Its shape follows from the configuration.
    private static func rawTensor(
        _ body: [UInt8], _ configuration: ModelConfiguration
    ) throws(InferenceError) -> WireTensor {
        let required = configuration.inputs.filter { !$0.isOptional }
        guard required.count == 1, let input = required.first else {
            throw .invalid(
                "raw binary request: expected a model with one input, found '\(configuration.name)' with \(required.count)"
            )
        }
        let batch = configuration.maxBatchSize > 0 ? [1] : []
        guard let size = input.datatype.elementSize else {
            return WireTensor(
                name: input.name, strings: [body], shape: batch + input.dimensions.map { _ in 1 })
        }
        let known = input.dimensions.filter { $0 > 0 }.reduce(1, *)
        let elements = body.count / size
        guard input.dimensions.count(where: { $0 < 0 }) <= 1, known > 0, body.count % size == 0, elements % known == 0
        else {
            throw .invalid(
                "raw binary request: expected bytes of \(input.datatype.rawValue) for '\(input.name)' of shape \(input.dimensions), found \(body.count) bytes"
            )
        }
        let shape = batch + input.dimensions.map { $0 < 0 ? elements / known : $0 }
        return try WireTensor(name: input.name, datatype: input.datatype, shape: shape, bytes: body)
    }
}

/// The binary tensors behind the JSON, in the order of the inputs.
private struct BinaryTail {
    private var rest: ArraySlice<UInt8>
    private(set) var used = 0
    let total: Int

    init(bytes: ArraySlice<UInt8>) {
        rest = bytes
        total = bytes.count
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func take(_ count: Int, for name: String) throws(InferenceError) -> [UInt8] {
        guard count >= 0, count <= rest.count else {
            throw .invalid("input '\(name)': expected \(count) bytes of binary data, found \(rest.count)")
        }
        used += count
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
