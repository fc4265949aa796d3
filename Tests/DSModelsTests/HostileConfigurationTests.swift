import DSFormats
import DSGraph
import DSModels
import DSSupport
import DSTensor
import FoundationEssentials
import Testing

/// Whatever a configuration says, loading ends in a model or in a typed error, never in a trap.
@Suite struct HostileConfigurationTests {
    private static let values: [JSONValue] = [
        nil, true, -1, 0, 1, 2, 3, 7, 1025, 4097, 2_147_483_647, 2_147_483_648, 4_611_686_018_427_387_904,
        0.5, -2.5, 1e300, "", "default", [], [1, "x"], [:], ["factor": -1, "rope_type": "yarn"],
        ["factor": 4, "rope_type": "yarn", "original_max_position_embeddings": 1e-9],
        ["rope_type": "llama3", "factor": 1, "low_freq_factor": 4, "high_freq_factor": 4],
        ["rope_type": "gguf_divisors", "divisors": [1, 2]],
    ]

    private static let oneOfEach = ["v2-group", "v3-fp8", "moe-linear", "llama3", "qwen2", "qwen3"]

    /// Every key of a configuration replaced by every value above; what loads is traced as well.
    @Test(arguments: oneOfEach.map { Golden(name: $0) }) func everyKeyEveryValue(_ golden: Golden) throws {
        let checkpoint = try Checkpoint.open(directory: golden.directory)
        var (loaded, refused) = (0, 0)
        for key in checkpoint.reader.object.keys.map(\.string) {
            for value in Self.values {
                var object = checkpoint.reader.object
                object[key] = value
                let reader = ConfigurationReader(source: "config", object: object)
                do {
                    let store = WeightStore(source: checkpoint.source, scaleBlock: checkpoint.scaleBlock)
                    let model = try checkpoint.architecture.init(reader, store)
                    try store.finish()
                    var trace = Trace()
                    let outputs = try model.trace(&trace, TraceOptions())
                    _ = try trace.finish(outputs: [("logits", outputs.logits)])
                    loaded += 1
                } catch is ModelError {
                    refused += 1
                } catch is GraphError {
                    refused += 1
                }
            }
        }
        #expect(loaded > 0 && refused > 0)
    }

    /// The same for the metadata of a GGUF file.
    @Test(arguments: ["v3-yarn", "v2-lite", "moe-greedy", "llama3", "qwen3"])
    func everyMetadataKey(_ name: String) throws {
        let path = FileManager.default.temporaryDirectory.path + "/hostile-\(UUID().uuidString).gguf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let golden = Golden(name: name)
        try GGUFExporter.export(directory: golden.directory, to: path, .init(weightType: .bf16))
        let file = try GGUFFile(path: path)
        let values: [GGUFValue] = [
            .u32(0), .u32(1), .u32(3), .u32(.max), .u64(.max), .i64(-1), .f32(.nan), .f32(-1), .f64(1e300), "x", "yarn",
            "linear", .bool(true), .array(GGUFArray([Int32(1), 2])),
        ]
        for key in file.metadata.keys {
            for value in values {
                var metadata = file.metadata
                metadata.set(key, value)
                do throws(ModelError) {
                    let configuration = try GGUFConfiguration(metadata, file, source: "file")
                    let source = try GGUFSource(file, description: "file", headShapes: configuration.headShapes)
                    let type = try ModelRegistry.architecture(named: try configuration.reader.text("model_type"))
                    let store = WeightStore(source: source)
                    _ = try type.init(configuration.reader, store)
                    try store.finish()
                } catch {
                    continue
                }
            }
        }
    }
}
