import DSSupport
import HTTPTypes
import Hummingbird
import NIOCore

/// The answer to `POST /v2/models/{model}/infer`.
struct InferAnswer {
    let model: ModelVersion
    let request: InferenceRequest
    let prefersBinary: Bool
    let memory: SharedMemoryRegions

    func response(_ answer: InferenceResponse) throws(InferenceError) -> Response {
        var outputs: [JSONValue] = []
        var binary: [UInt8] = []
        var isBinary = false
        for tensor in answer.outputs {
            var object = JSONObject([
                ("name", .text(tensor.name)), ("datatype", .text(tensor.datatype.rawValue)),
                ("shape", .array(tensor.shape.map { .integer(Int64($0)) })),
            ])
            let asked = request.outputs.first { $0.name == tensor.name }?.parameters ?? JSONObject()
            if let region = asked["shared_memory_region"]?.stringValue {
                try memory.write(
                    tensor.bytes, to: region, offset: asked["shared_memory_offset"]?.intValue ?? 0,
                    limit: asked["shared_memory_byte_size"]?.intValue ?? 0)
                object["parameters"] = [
                    "shared_memory_region": .text(region),
                    "shared_memory_offset": asked["shared_memory_offset"] ?? 0,
                    "shared_memory_byte_size": .integer(Int64(tensor.bytes.count)),
                ]
            } else if asked["binary_data"]?.boolValue ?? prefersBinary {
                isBinary = true
                binary += tensor.bytes
                object["parameters"] = ["binary_data_size": .integer(Int64(tensor.bytes.count))]
            } else {
                object["data"] = try tensor.jsonData()
            }
            outputs.append(.object(object))
        }
        let json = body(answer, outputs).serialized()
        guard isBinary else {
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
        }
        var buffer = ByteBuffer(bytes: json)
        buffer.writeBytes(binary)
        return Response(
            status: .ok,
            headers: [.contentType: "application/octet-stream", .inferenceHeaderLength: String(json.count)],
            body: ResponseBody(byteBuffer: buffer))
    }

    private func body(_ answer: InferenceResponse, _ outputs: [JSONValue]) -> JSONValue {
        var object = JSONObject([
            ("model_name", .text(model.name)), ("model_version", .text(String(model.version))),
        ])
        if !request.id.isEmpty { object["id"] = .text(request.id) }
        if !answer.parameters.isEmpty { object["parameters"] = .object(answer.parameters) }
        object["outputs"] = .array(outputs)
        return .object(object)
    }
}

extension HTTPField.Name {
    /// How many bytes of a body are JSON; binary tensors follow.
    static let inferenceHeaderLength = HTTPField.Name("Inference-Header-Content-Length")!
}
