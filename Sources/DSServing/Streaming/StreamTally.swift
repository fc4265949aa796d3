import DSEngine
import DSSupport

/// Counts what the choices of a stream have used so far.
struct StreamTally: Sendable {
    private let fields: StreamFields
    private var running: [TokenUsage]
    private var called: [Bool]
    private var finished: [TokenUsage] = []

    init(_ group: AnswerGroup, _ fields: StreamFields) {
        self.fields = fields
        running = group.streams.map { TokenUsage(promptTokens: $0.promptTokens) }
        called = group.streams.map { _ in false }
    }

    mutating func add(_ delta: GenerationDelta, to index: Int) {
        running[index].completionTokens += delta.tokens.count
        if !delta.toolCalls.isEmpty { called[index] = true }
    }

    mutating func finish(_ index: Int, _ result: GenerationResult) {
        running[index] = result.usage
        finished.append(result.usage)
    }

    func calledTools(_ index: Int) -> Bool { called[index] }

    /// The usage of choices with one prompt.
    var total: TokenUsage { TokenUsage.total(finished) }
    var usages: [TokenUsage] { finished }

    /// The `usage` of a chunk before the last; `nil`: it has no such member.
    func usageMember(_ index: Int) -> JSONValue? {
        if fields.countsContinuously { return running[index].runningJSON }
        return fields.includesUsage ? .null : nil
    }
}
