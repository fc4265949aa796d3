import DSEngine
import DSServing
import DSSupport
import DSTestSupport
import Testing

@Suite struct ModelConfigurationTests {
    private func read(_ text: String) throws -> ModelConfiguration {
        try ModelConfiguration(text: Array(text.utf8), name: "m", source: "config.pbtxt")
    }

    private func message(_ text: String) -> String {
        do {
            _ = try read(text)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private let example = """
        # A model with everything.
        name: "m"
        backend: 'deepseek'
        max_batch_size: 8
        input [
          { name: "INPUT0" data_type: TYPE_INT32 dims: [ 16 ] },
          { name: "text", data_type: TYPE_STRING; dims: -1 optional: true }
        ]
        output { name: "OUT" "PUT" data_type: TYPE_FP32 dims: [ -1, 4 ] }
        version_policy: { specific { versions: [1, 3] } }
        instance_group [ { count: 2 kind: KIND_CPU } ]
        dynamic_batching {
          preferred_batch_size: [ 4, 8 ]
          max_queue_delay_microseconds: 100
          priority_levels: 2
          default_priority_level: 1
          default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 500 max_queue_size: 7 }
          priority_queue_policy { key: 2 value { allow_timeout_override: true } }
        }
        parameters { key: "a" value: { string_value: "b\\tc" } }
        parameters { key: "d" value < string_value: "e" > }
        model_transaction_policy { decoupled: true }
        optimization { execution_accelerators { cpu_execution_accelerator: [ { name: "x" } ] } }
        """

    @Test func readsTheTextForm() throws {
        let configuration = try read(example)
        #expect(configuration.maxBatchSize == 8 && configuration.backend == "deepseek" && configuration.isDecoupled)
        #expect(
            configuration.inputs == [
                .init("INPUT0", .int32, [16]), .init("text", .bytes, [-1], isOptional: true),
            ])
        #expect(configuration.outputs == [.init("OUTPUT", .fp32, [-1, 4])])
        #expect(configuration.versionPolicy == .specific([1, 3]) && configuration.instances == 2)
        #expect(configuration.parameters == ["a": "b\tc", "d": "e"])
        #expect(configuration.ignoredFields == ["optimization"])
        let policy = try #require(configuration.batching)
        #expect(policy.preferredBatchSizes == [4, 8] && policy.maxQueueDelay == .microseconds(100))
        #expect(policy.queuePolicy.timeoutAction == .delay && policy.queuePolicy.maxQueueSize == 7)
        #expect(policy.queuePolicy.defaultTimeout == .microseconds(500))
        #expect(policy.queuePolicies[2]?.allowsTimeoutOverride == true)
    }

    /// The JSON that the text gives reads as the same configuration.
    @Test func textAndJSONAgree() throws {
        let first = try read(example)
        let second = try ModelConfiguration(json: first.json, name: "m", source: "config.json")
        #expect(second.json == first.json && second.batching == first.batching)
    }

    @Test func jsonOfProtocolBuffersIsUnderstood() throws {
        let json = try JSONValue.parse(
            #"{"name":"m","maxBatchSize":2,"input":[{"name":"a","dataType":"TYPE_INT8","dims":["4"]}]}"#)
        let configuration = try ModelConfiguration(json: json, name: "m", source: "config.json")
        #expect(configuration.maxBatchSize == 2 && configuration.inputs == [.init("a", .int8, [4])])
    }

    @Test(arguments: [
        ("max_batch_size: 1\nmax_bach_size: 2", "line 2: unknown field 'max_bach_size' in ModelConfig"),
        ("input { name: \"a\"\n dim: 3 }", "line 2: unknown field 'dim' in ModelInput"),
        ("max_batch_size: 1\n\nmax_batch_size: 2", "line 3: field 'max_batch_size' occurs twice"),
        ("max_batch_size: many", "'max_batch_size': expected an integer"),
        ("max_batch_size: 4294967296", "'max_batch_size': expected an integer"),
        ("max_batch_size 4", "expected ':'"), ("name: m", "expected a string in quotes"),
        ("name: \"m", "end of a string"), ("input {", "name of a field"), ("input [ { } { } ]", "expected ','"),
        ("input { name: \"a\" data_type: TYPE_INT32 }", "expected 'dims'"),
        ("input { name: \"a\" data_type: TYPE_INT31 dims: 1 }", "expected one of TYPE_INVALID"),
        ("name: \"other\"", "expected 'm'"), ("dynamic_batching { }", "max_batch_size of at least 1"),
        ("max_batch_size: 4 dynamic_batching { preferred_batch_size: 5 }", "preferred_batch_size"),
        ("instance_group { kind: KIND_GPU }", "found KIND_GPU"),
        (
            "parameters { key: \"a\" value { string_value: \"b\" } }\nparameters { key: \"a\" value { } }",
            "occurs twice"
        ),
        ("version_policy { latest { } all { } }", "expected one of latest, all and specific"),
        ("name: \"\\q\"", "unknown escape"), ("max_batch_size: -1", "at least 0"), ("}", "name of a field"),
        (
            "input { name: \"a\" data_type: TYPE_INT8 dims: 1 } input { name: \"a\" data_type: TYPE_INT8 dims: 1 }",
            "twice"
        ),
    ])
    func mistakesAreNamed(text: String, expected: String) {
        #expect(message(text).contains(expected), "\(message(text))")
    }

    @Test func deepNestingAndRubbishEnd() {
        let deep = String(repeating: "optimization { ", count: 10_000)
        #expect(message(deep).contains("line 1"))
        var random = SplitMix(seed: 1)
        let alphabet = Array("name:input{}[]<>\"'#,;\\0x-\n _".utf8)
        var read = 0
        for _ in 0..<2000 {
            let text = (0..<random.below(61)).map { _ in alphabet[random.below(alphabet.count)] }
            do {
                _ = try ModelConfiguration(text: text, name: "m", source: "x")
                read += 1
            } catch {
                #expect(!"\(error)".isEmpty)
            }
        }
        // Those that are empty or a comment; hardly any others.
        #expect((10..<500).contains(read), "\(read)")
    }

    @Test func policiesChooseVersions() throws {
        #expect(try VersionPolicy.latest(1).chosen(from: [1, 10, 9], model: "m") == [10])
        #expect(try VersionPolicy.latest(2).chosen(from: [1, 10, 9], model: "m") == [9, 10])
        #expect(try VersionPolicy.all.chosen(from: [3, 1], model: "m") == [1, 3])
        #expect(try VersionPolicy.specific([3]).chosen(from: [3, 1], model: "m") == [3])
        #expect(throws: InferenceError.self) { try VersionPolicy.specific([2]).chosen(from: [3, 1], model: "m") }
    }

    /// Every type that the table names is defined in it.
    @Test func theSchemaIsClosed() throws {
        #expect(try ModelConfiguration(text: [], name: "m", source: "x").inputs.isEmpty)
    }
}
