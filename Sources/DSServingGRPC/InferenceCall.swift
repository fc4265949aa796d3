import DSServing
import DSSupport

/// One `ModelInferRequest`, read and checked.
struct InferenceCall: Sendable {
    let service: InferenceService
    let model: ModelVersion
    let request: InferenceRequest

    init(_ message: InferMessage, _ service: InferenceService) throws(InferenceError) {
        self.service = service
        let model = try service.repository.ready(message.model, try InferenceService.version(message.version))
        self.model = model
        CallRecord.current?.update { $0.model = model.name }
        var request = InferenceRequest(inputs: try Self.inputs(message, service.sharedMemory))
        request.id = message.id
        request.parameters = message.parameters
        request.parameters["binary_data_output"] = nil
        for output in message.outputs {
            request.outputs.append(try InferenceRequest.Output(name: output.name, parameters: output.parameters))
        }
        self.request = request
    }

    private static func inputs(
        _ message: InferMessage, _ memory: SharedMemoryRegions
    ) throws(InferenceError) -> [WireTensor] {
        var raw = message.raw[...]
        let usesRaw = !raw.isEmpty
        var tensors: [WireTensor] = []
        for input in message.inputs {
            guard let datatype = TensorDatatype(rawValue: input.datatype) else {
                throw .invalid("input '\(input.name)': expected a datatype of the protocol, found '\(input.datatype)'")
            }
            let bytes: [UInt8]
            if let region = input.parameters["shared_memory_region"]?.stringValue {
                bytes = try memory.read(
                    region, offset: input.parameters["shared_memory_offset"]?.intValue ?? 0,
                    count: input.parameters["shared_memory_byte_size"]?.intValue ?? 0)
            } else if usesRaw {
                guard let next = raw.popFirst() else {
                    throw .invalid(
                        "raw_input_contents: expected an entry for input '\(input.name)', found \(message.raw.count) entries"
                    )
                }
                bytes = Array(next)
            } else {
                bytes = try TensorContents.bytes(input.contents ?? [], of: datatype, input: input.name)
            }
            tensors.append(try WireTensor(name: input.name, datatype: datatype, shape: input.shape, bytes: bytes))
        }
        guard raw.isEmpty else {
            throw .invalid(
                "raw_input_contents: expected \(message.raw.count - raw.count) entries, found \(message.raw.count)")
        }
        return tensors
    }

    /// `ModelInferResponse`.
    func response(_ answer: InferenceResponse) throws(InferenceError) -> [UInt8] {
        var message = WireWriter()
        message.field(1, text: model.name)
        message.field(2, text: String(model.version))
        message.field(3, text: request.id)
        ParameterCoding.write(answer.parameters, 4, to: &message)
        for tensor in answer.outputs {
            let asked = request.outputs.first { $0.name == tensor.name }?.parameters ?? JSONObject()
            var output = WireWriter()
            output.field(1, text: tensor.name)
            output.field(2, text: tensor.datatype.rawValue)
            output.field(3, packed: tensor.shape.map { Int64($0) })
            if let region = asked["shared_memory_region"]?.stringValue {
                let offset = asked["shared_memory_offset"]?.intValue ?? 0
                try service.sharedMemory.write(
                    tensor.bytes, to: region, offset: offset, limit: asked["shared_memory_byte_size"]?.intValue ?? 0)
                var parameters = JSONObject()
                parameters["shared_memory_region"] = .text(region)
                parameters["shared_memory_offset"] = .integer(Int64(offset))
                parameters["shared_memory_byte_size"] = .integer(Int64(tensor.bytes.count))
                ParameterCoding.write(parameters, 4, to: &output)
                // Clients count the entries: one for each output.
                message.field(6, bytes: [])
            } else {
                message.field(6, bytes: tensor.bytes)
            }
            message.field(5, bytes: output.bytes)
        }
        return message.bytes
    }
}
