import DSEngine
import DSSupport
import DSTestSupport
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A golden of `Tests/Goldens/engine/make_sampler_goldens.py`.
struct SamplerGolden: Sendable {
    var name = ""
    var parameters = SamplingParameters()
    var logits: [Float] = []
    var prompt: [Int32] = []
    var output: [Int32] = []
    var probabilities: [Int32: Double] = [:]
    var rawLogprobs: [(Int32, Double)] = []

    static let all: [SamplerGolden] = {
        let path = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        do {
            let data = try Data(contentsOf: URL(filePath: "/\(path)/Goldens/engine/sampler.json"))
            return try JSONValue.parse([UInt8](data)).arrayValue?.map(SamplerGolden.init) ?? []
        } catch {
            Issue.record(error)
            return []
        }
    }()

    init(_ json: JSONValue) {
        let fields = json["parameters"]?.objectValue ?? JSONObject()
        name = JSONValue.object(fields).serializedString(.compact)
        func number(_ key: JSONString) -> Double? { fields[key]?.doubleValue }
        parameters.temperature = number("temperature") ?? 1
        parameters.topK = fields["top_k"]?.intValue.map { Int($0) }
        parameters.topP = number("top_p") ?? 1
        parameters.minP = number("min_p") ?? 0
        parameters.typicalP = number("typical_p") ?? 1
        parameters.repetitionPenalty = number("repetition_penalty") ?? 1
        parameters.presencePenalty = number("presence_penalty") ?? 0
        parameters.frequencyPenalty = number("frequency_penalty") ?? 0
        for member in fields["logit_bias"]?.objectValue?.members ?? [] {
            parameters.logitBias[Int32(member.key.string) ?? -1] = member.value.doubleValue
        }
        logits = json["logits"]?.arrayValue?.compactMap { $0.doubleValue.map(Float.init) } ?? []
        prompt = json["prompt"]?.arrayValue?.compactMap { $0.intValue.map(Int32.init) } ?? []
        output = json["output"]?.arrayValue?.compactMap { $0.intValue.map(Int32.init) } ?? []
        for member in json["probabilities"]?.objectValue?.members ?? [] {
            probabilities[Int32(member.key.string) ?? -1] = member.value.doubleValue
        }
        rawLogprobs =
            json["raw_logprobs"]?.arrayValue?.compactMap { pair in
                guard let id = pair.arrayValue?.first?.intValue, let value = pair.arrayValue?.last?.doubleValue
                else { return nil }
                return (Int32(id), value)
            } ?? []
    }

    func state(seed: UInt64, at index: Int? = nil) -> SamplingState {
        var state = SamplingState(
            parameters, seed: seed, promptTokens: prompt, stopping: StoppingConditions(), endTokens: [])
        for token in output { state.append(token) }
        return state
    }
}

@Suite("Sampler")
struct SamplerTests {
    @Test func thereAreGoldens() { #expect(SamplerGolden.all.count == 20) }

    /// Pearson's statistic over `draws` seeds. Tokens expected fewer than 8 times share a bin. For k bins the statistic
    /// has mean k - 1 and variance 2 (k - 1); 5 standard deviations above is beyond 1e-5 for every k used. Seeds are
    /// fixed, so that the outcome is, too.
    @Test("Draws follow the distribution of transformers' own processors", arguments: SamplerGolden.all.indices)
    func distribution(index: Int) throws {
        let golden = SamplerGolden.all[index]
        let draws = golden.logits.count > 100 ? 1500 : 4000
        var sampler = Sampler(vocabularySize: golden.logits.count)
        var counts: [Int32: Int] = [:]
        try golden.logits.withUnsafeBufferPointer { row in
            for seed in 0..<UInt64(draws) {
                var state = golden.state(seed: seed)
                let token = try #require(sampler.next(row, &state))
                counts[token, default: 0] += 1
            }
        }
        for token in counts.keys { #expect(golden.probabilities[token] != nil, "\(golden.name): drew \(token)") }
        var statistic = 0.0
        var bins = 0.0
        var rest = (expected: 0.0, found: 0.0)
        for (token, probability) in golden.probabilities {
            let expected = probability * Double(draws)
            let found = Double(counts[token] ?? 0)
            if expected < 8 {
                rest = (rest.expected + expected, rest.found + found)
            } else {
                statistic += (found - expected) * (found - expected) / expected
                bins += 1
            }
        }
        if rest.expected > 4 {
            statistic += (rest.found - rest.expected) * (rest.found - rest.expected) / rest.expected
            bins += 1
        }
        let freedom = bins - 1
        #expect(
            statistic <= freedom + 5 * (2 * freedom).squareRoot() + 1e-9, "\(golden.name): \(statistic) of \(freedom)")
    }

    @Test("There are goldens") func goldensExist() { #expect(SamplerGolden.all.count >= 20) }

    /// The smallest kept probability is far above 1 / draws in every golden with truncation, except where 1,009 tokens
    /// are kept whole: the sets must then be equal, not only similar.
    @Test(
        "Truncation keeps exactly the tokens that transformers keeps",
        arguments: SamplerGolden.all.indices.filter { SamplerGolden.all[$0].probabilities.values.min() ?? 0 > 4e-3 })
    func support(index: Int) throws {
        let golden = SamplerGolden.all[index]
        let smallest = golden.probabilities.values.min() ?? 0
        var sampler = Sampler(vocabularySize: golden.logits.count)
        var drawn: Set<Int32> = []
        try golden.logits.withUnsafeBufferPointer { row in
            for seed in 0..<UInt64(12 / smallest) {
                var state = golden.state(seed: seed)
                drawn.insert(try #require(sampler.next(row, &state)))
            }
        }
        #expect(drawn == Set(golden.probabilities.keys), "\(golden.name)")
    }

    @Test("Log-probabilities are those of the raw logits", arguments: SamplerGolden.all.indices)
    func rawLogprobs(index: Int) {
        let golden = SamplerGolden.all[index]
        var reporter = LogprobReporter(vocabularySize: golden.logits.count)
        golden.logits.withUnsafeBufferPointer { row in
            let token = reporter.report(golden.rawLogprobs[2].0, row, count: 5, isTerminator: false)
            #expect(token.alternatives.map(\.id) == golden.rawLogprobs.map(\.0))
            for (found, expected) in zip(token.alternatives, golden.rawLogprobs) {
                #expect(abs(Double(found.logprob) - expected.1) <= 2e-6 * max(1, abs(expected.1)))
            }
            #expect(token.logprob == token.alternatives[2].logprob)
        }
    }

    @Test("Temperature 0 takes the largest adjusted logit, the lowest id among equals")
    func greedy() {
        var sampler = Sampler(vocabularySize: 40)
        var logits = [Float](repeating: -1, count: 40)
        logits[17] = 3
        logits[33] = 3
        logits[5] = .nan
        func choose(_ change: (inout SamplingParameters) -> Void) -> Int32? {
            var parameters = SamplingParameters.greedy
            change(&parameters)
            var state = SamplingState(
                parameters, seed: 1, promptTokens: [17], stopping: StoppingConditions(), endTokens: [])
            return logits.withUnsafeBufferPointer { sampler.next($0, &state) }
        }
        #expect(choose { _ in } == 17)
        #expect(choose { $0.repetitionPenalty = 2 } == 33)
        #expect(choose { $0.logitBias = [39: 50] } == 39)
        #expect(choose { $0.presencePenalty = 2 } == 17, "presence looks at the output only")
        logits = Array(repeating: .nan, count: 40)
        #expect(choose { _ in } == nil)
    }

    @Test("End tokens cannot be chosen before minTokens")
    func minimumTokens() {
        var sampler = Sampler(vocabularySize: 4)
        var stopping = StoppingConditions()
        stopping.minTokens = 2
        stopping.stopTokens = [2]
        var state = SamplingState(.greedy, seed: 0, promptTokens: [1], stopping: stopping, endTokens: [3])
        let logits: [Float] = [0, 1, 2, 3]
        let chosen = (0..<3).map { _ in logits.withUnsafeBufferPointer { sampler.next($0, &state) } }
        #expect(chosen == [1, 1, 3])
    }

    @Test("The draw depends on seed and index of the token alone")
    func seeds() {
        let golden = SamplerGolden.all[1]
        func tokens(_ seed: UInt64, noise: Int) -> [Int32?] {
            var sampler = Sampler(vocabularySize: golden.logits.count)
            return golden.logits.withUnsafeBufferPointer { row in
                var state = golden.state(seed: seed)
                return (0..<20).map { _ in
                    for other in 0..<noise {
                        var neighbour = golden.state(seed: UInt64(other))
                        _ = sampler.next(row, &neighbour)
                    }
                    return sampler.next(row, &state)
                }
            }
        }
        #expect(tokens(7, noise: 0) == tokens(7, noise: 3))
        #expect(tokens(7, noise: 0) != tokens(8, noise: 0))
    }

    /// Known answers that the authors of the algorithm distribute (Random123, kat_vectors, philox4x32 10).
    @Test(
        "Philox4x32-10 known answers",
        arguments: [
            (
                SIMD4(0, 0, 0, 0), SIMD2(0, 0), SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
            ),
            (
                SIMD4(repeating: 0xffff_ffff), SIMD2(repeating: 0xffff_ffff),
                SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
                SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ] as [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)])
    func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
        #expect(Philox.block(counter: counter, key: key) == expected)
    }

    @Test("A partial selection equals a full sort", arguments: UInt64(1)...30)
    func partialSelection(seed: UInt64) {
        var random = SplitMix(seed: seed)
        // Few distinct values, so that ties decide.
        let row = (0..<(1 + random.below(300))).map { _ in Float(random.below(12)) }
        let sorted = row.indices.sorted { row[$0] > row[$1] || (row[$0] == row[$1] && $0 < $1) }
        var candidates = CandidateList()
        for count in [1, 2, 7, 50, 1000] {
            row.withUnsafeBufferPointer { candidates.selectTop(count, of: $0, atLeast: -.infinity) }
            #expect(candidates.items.map { Int($0.id) } == Array(sorted.prefix(count)), "seed \(seed), top \(count)")
            // The shortest prefix whose weights reach the target, by adding up a sorted list.
            let weights = row.indices.map { Double(1 + ($0 &* 7) % 5) }
            let target = Double(count) * 2.5
            var sum = 0.0
            let expected = sorted.prefix { index in
                defer { sum += weights[index] }
                return sum < target
            }
            var prefix = Array(row.indices)
            Selection.keepPrefix(&prefix, holding: target) {
                row[$0] > row[$1] || (row[$0] == row[$1] && $0 < $1)
            } weight: {
                weights[$0]
            }
            #expect(prefix.sorted() == expected.sorted(), "seed \(seed), target \(target)")
        }
    }
}
