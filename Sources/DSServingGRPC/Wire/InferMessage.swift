import DSServing
import DSSupport

/// `ModelInferRequest` as it came; tensors are not copied before their type is known.
struct InferMessage {
    struct Input {
        var name = ""
        var datatype = ""
        var shape: [Int] = []
        var parameters = JSONObject()
        var contents: ArraySlice<UInt8>?
    }

    var model = ""
    var version = ""
    var id = ""
    var parameters = JSONObject()
    var inputs: [Input] = []
    var outputs: [(name: String, parameters: JSONObject)] = []
    var raw: [ArraySlice<UInt8>] = []

    init(_ bytes: [UInt8]) throws(InferenceError) {
        var reader = WireReader(bytes[...])
        while let (number, value) = try reader.next() {
            switch number {
            case 1: model = try value.text("model_name")
            case 2: version = try value.text("model_version")
            case 3: id = try value.text("id")
            case 4:
                let (name, parameter) = try ParameterCoding.decode(try value.data("parameters"))
                parameters[name] = parameter
            case 5: inputs.append(try Self.input(try value.data("inputs")))
            case 6: outputs.append(try Self.output(try value.data("outputs")))
            case 7: raw.append(try value.data("raw_input_contents"))
            default: break
            }
        }
    }

    private static func input(_ bytes: ArraySlice<UInt8>) throws(InferenceError) -> Input {
        var input = Input()
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            switch number {
            case 1: input.name = try value.text("name")
            case 2: input.datatype = try value.text("datatype")
            case 3: input.shape += try value.integers("shape").map { Int(Int64(bitPattern: $0)) }
            case 4:
                let (name, parameter) = try ParameterCoding.decode(try value.data("parameters"))
                input.parameters[name] = parameter
            case 5: input.contents = try value.data("contents")
            default: break
            }
        }
        return input
    }

    private static func output(
        _ bytes: ArraySlice<UInt8>
    ) throws(InferenceError) -> (name: String, parameters: JSONObject) {
        var output = (name: "", parameters: JSONObject())
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            if number == 1 { output.name = try value.text("name") }
            if number == 2 {
                let (name, parameter) = try ParameterCoding.decode(try value.data("parameters"))
                output.parameters[name] = parameter
            }
        }
        return output
    }
}
