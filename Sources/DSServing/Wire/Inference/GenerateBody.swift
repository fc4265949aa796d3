import DSSupport

/// The body of `generate` and `generate_stream`: members that name inputs of the model become tensors, all others are
/// parameters of the request.
struct GenerateBody {
    let request: InferenceRequest

    init(_ fields: FieldReader, configuration: ModelConfiguration) throws {
        var parameters = JSONObject()
        var inputs: [WireTensor] = []
        let batched = configuration.maxBatchSize > 0
        for (member, path) in Self.members(fields) {
            if let input = configuration.inputs.first(where: { $0.name == member.key.string }) {
                inputs.append(try Self.tensor(input, member.value, batched: batched))
            } else if member.value.arrayValue == nil, member.value.objectValue == nil {
                parameters[member.key] = member.value
            } else if configuration.inputs.contains(where: { $0.name == "sampling_parameters" }) {
                // `stop` and `logit_bias` are no scalars.
                parameters[member.key] = member.value
            } else {
                throw APIError.field(path, expected: "a string, a number or a boolean", found: member.value)
            }
        }
        var request = InferenceRequest(inputs: inputs)
        request.id = try fields.string("id") ?? ""
        parameters["id"] = nil
        request.parameters = parameters
        self.request = request
    }

    private static func members(_ fields: FieldReader) -> [(JSONObject.Member, String)] {
        var members: [(JSONObject.Member, String)] = []
        for member in fields.object.members where !member.value.isNull {
            if member.key == "parameters", let nested = member.value.objectValue {
                members += nested.members.filter { !$0.value.isNull }.map { ($0, "parameters.\($0.key)") }
            } else {
                members.append((member, member.key.string))
            }
        }
        return members
    }

    private static func tensor(
        _ input: TensorSpecification, _ value: JSONValue, batched: Bool
    ) throws(InferenceError) -> WireTensor {
        let count = value.arrayValue?.count ?? 1
        var value = value
        // A model that reads JSON from a string may be given the JSON itself.
        if input.datatype == .bytes, value.objectValue != nil { value = .text(value.serializedString()) }
        return try WireTensor(
            name: input.name, datatype: input.datatype, shape: batched ? [1, count] : [count], data: value)
    }

    /// One answer, as an object with an entry per output.
    static func object(
        _ answer: InferenceResponse, _ request: InferenceRequest, of model: ModelVersion
    ) throws(InferenceError) -> JSONValue {
        var object = JSONObject([
            ("model_name", .text(model.name)), ("model_version", .text(String(model.version))),
        ])
        if !request.id.isEmpty { object["id"] = .text(request.id) }
        for member in answer.parameters.members { object[member.key] = member.value }
        for output in answer.outputs {
            let data = try output.jsonData()
            object[output.name] = output.elementCount == 1 ? data[0] : data
        }
        return .object(object)
    }
}
