import DSEngine
import DSServing
import Testing

@Suite struct LanguageModelSchedulingTests {
    private func read(_ text: String) throws -> LanguageModelScheduling {
        try LanguageModelScheduling(ModelConfiguration(text: Array(text.utf8), name: "m", source: "config.pbtxt"))
    }

    private func message(_ text: String) -> String {
        do {
            return "no error: \(try read(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test func nothingSaidChangesNothing() throws {
        var engine = EngineConfiguration()
        try read("instance_group [ { count: 1 kind: KIND_CPU } ]").apply(to: &engine)
        #expect(engine == EngineConfiguration())
        #expect(try read("").notes == [])
    }

    @Test func whatTheEngineHasReachesIt() throws {
        let scheduling = try read(
            """
            max_batch_size: 600
            dynamic_batching {
              priority_levels: 5 default_priority_level: 3
              default_queue_policy { default_timeout_microseconds: 250000 max_queue_size: 7 }
            }
            """)
        var engine = EngineConfiguration()
        engine.maximumQueueDelay = .seconds(9)
        engine.maximumQueuedRequests = 99
        scheduling.apply(to: &engine)
        #expect(engine.maxBatchSize == 600 && engine.maxBatchTokens == 600)
        #expect(engine.maximumQueueDelay == .milliseconds(250) && engine.maximumQueuedRequests == 7)
        #expect(engine.scheduling == .priority && scheduling.notes == [])
        // Smaller numbers first; a request that names none has the engine's 0.
        let levels = try #require(scheduling.priorities)
        #expect((0...6).map(levels.priority(ofLevel:)) == [0, -2, -1, 0, 1, 2, nil])
    }

    @Test func theServersOptionsHoldWhereNothingIsSaid() throws {
        var engine = EngineConfiguration()
        engine.maxBatchSize = 3
        engine.maximumQueueDelay = .seconds(9)
        engine.maximumQueuedRequests = 99
        let before = engine
        try read("version_policy { all { } }").apply(to: &engine)
        #expect(engine == before)
    }

    @Test func whatIsFulfilledAnyhowIsSaid() throws {
        let notes = try read(
            """
            max_batch_size: 8
            dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 }
            parameters { key: "gpt_model_type" value { string_value: "x" } }
            """
        ).notes
        #expect(notes.count == 3)
        for (note, names) in zip(
            notes.sorted(),
            [
                ["dynamic_batching.max_queue_delay_microseconds"], ["dynamic_batching.preferred_batch_size", "4, 8"],
                ["parameters", "gpt_model_type"],
            ])
        {
            for name in names { #expect(note.contains(name), "\(note)") }
        }
    }

    @Test(arguments: [
        (
            "max_batch_size: 4 dynamic_batching { preserve_ordering: true }", "dynamic_batching.preserve_ordering",
            "found true"
        ),
        (
            "max_batch_size: 4 dynamic_batching { priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 2 value { max_queue_size: 1 } } }",
            "dynamic_batching.priority_queue_policy", "priority 2"
        ),
        (
            "max_batch_size: 4 dynamic_batching { default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1 } }",
            "default_queue_policy.timeout_action", "found DELAY"
        ),
        ("instance_group [ { count: 2 kind: KIND_CPU } ]", "instance_group", "found 2"),
        ("instance_group [ { count: 1 }, { count: 1 } ]", "instance_group", "found 2"),
        ("max_batch_size: 100000", "max_batch_size", "found 100000"),
        ("instance_group [ { kind: KIND_GPU } ]", "instance_group", "found KIND_GPU"),
        ("instance_group [ { passive: true } ]", "instance_group.passive", "found true"),
    ])
    func whatCannotBeIsRefused(text: String, field: String, found: String) {
        #expect(message(text).contains(field) && message(text).contains(found), "\(message(text))")
        #expect(message(text).contains("expected"))
    }

    @Test func fieldsOfInstancesWithoutAnEffectAreListed() throws {
        let text = """
            instance_group [ { kind: KIND_CPU host_policy: "a" gpus: [ 0 ] }, { count: 0 host_policy: "b" } ]
            """
        let configuration = try ModelConfiguration(text: Array(text.utf8), name: "m", source: "config.pbtxt")
        #expect(configuration.ignoredFields.sorted() == ["instance_group.gpus", "instance_group.host_policy"])
    }
}
