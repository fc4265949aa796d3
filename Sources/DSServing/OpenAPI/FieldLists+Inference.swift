import DSSupport

/// The bodies of the V2 inference protocol.
extension FieldLists {
    private static let parameters = APIField(
        "parameters", APISchema.object, "Members are strings, numbers or booleans.")

    private static let inputTensor: JSONValue = APIObject([
        APIField("name", APISchema.string, "An input of the model.", required: true),
        APIField("shape", APISchema.array(APISchema.integer(0...8)), "Sizes of the dimensions.", required: true),
        APIField(
            "datatype", ["type": "string", "enum": .array(TensorDatatype.allCases.map { .text($0.rawValue) })], "",
            required: true),
        APIField("data", ["type": "array"], "The elements, flat or nested; not with binary data or shared memory."),
        APIField("parameters", APISchema.object, "binary_data_size; shared_memory_region, _offset, _byte_size."),
    ]).schema

    private static let outputTensor: JSONValue = APIObject([
        APIField("name", APISchema.string, "An output of the model.", required: true),
        APIField("parameters", APISchema.object, "binary_data, classification; shared_memory_region, …"),
    ]).schema

    static let inference: [APIField] = [
        APIField("id", APISchema.string, "Comes back in the answer."),
        APIField("inputs", APISchema.array(inputTensor), "Tensors.", required: true),
        APIField("outputs", APISchema.array(outputTensor), "Outputs that are wanted; all without it."),
        parameters,
    ]

    static let generate: [APIField] = [
        APIField("id", APISchema.string, "Comes back in the answer."),
        APIField("text_input", APISchema.string, "The prompt of a language model."),
        APIField("stream", APISchema.boolean, "Each piece of text is an answer."),
        APIField("exclude_input_in_output", APISchema.boolean, "true: the output does not repeat the prompt."),
        APIField("max_tokens", APISchema.integer(0...64), "Tokens of the answer, at most."),
        APIField("temperature", APISchema.number(0...2), "Divides the logits; 0 is greedy."),
        parameters,
    ]

    static let repositoryIndex: [APIField] = [
        APIField("ready", APISchema.boolean, "true: only models that are loaded.")
    ]

    static let repositoryLoad: [APIField] = [
        APIField("parameters", APISchema.object, "config: the JSON text of a configuration that replaces the folder's.")
    ]

    static let sharedMemory: [APIField] = [
        APIField("key", APISchema.string, "The object's name, as for shm_open.", required: true),
        APIField("offset", APISchema.integer(), "Where the region begins in it."),
        APIField("byte_size", APISchema.integer(), "Bytes of the region.", required: true),
    ]

    static let modelName = APIField("model", APISchema.string, "A model's name.")
    static let modelVersion = APIField("version", APISchema.string, "A version's number.")
    static let regionName = APIField("region", APISchema.string, "A region's name.")
}
