/// What sampling remembers about one request between steps.
package struct SamplingState: Sendable {
    package let parameters: SamplingParameters
    package let seed: UInt64
    /// Ids that cannot be chosen while fewer than `minTokens` tokens exist.
    let blockedBeforeMinimum: [Int32]
    let minTokens: Int
    /// `logitBias` in order of ids, so that sums never depend on a dictionary's order.
    let bias: [(id: Int32, value: Float)]

    private(set) var counts: PenaltyCounts?
    /// The last tokens of the output, as many as the longest banned sequence needs.
    private var tail: [Int32] = []
    private let tailLength: Int
    private var thinking: ThinkingProgress?
    /// Tokens generated so far; the index of the next draw.
    package private(set) var generatedCount = 0

    package init(
        _ parameters: SamplingParameters, seed: UInt64, promptTokens: [Int32], stopping: StoppingConditions,
        endTokens: [Int32], thinking: ThinkingBudget? = nil
    ) {
        self.parameters = parameters
        self.seed = seed
        minTokens = stopping.minTokens
        let ends = stopping.ignoreEndOfSequence ? [] : endTokens
        blockedBeforeMinimum = stopping.minTokens > 0 ? ends + stopping.stopTokens : []
        bias = parameters.logitBias.sorted { $0.key < $1.key }.map { ($0.key, Float($0.value)) }
        let needsCounts =
            parameters.repetitionPenalty != 1 || parameters.presencePenalty != 0 || parameters.frequencyPenalty != 0
        counts = needsCounts ? PenaltyCounts(promptTokens: promptTokens) : nil
        tailLength = (parameters.bannedSequences.map(\.count).max() ?? 1) - 1
        self.thinking = thinking.map { ThinkingProgress($0) }
    }

    /// The token that follows whatever the logits say: a mark that ends the thinking.
    var forcedToken: Int32? { thinking?.forced }

    /// Tokens that would complete a banned sequence now.
    var bannedTokens: [Int32] {
        var tokens = parameters.bannedSequences.compactMap { sequence in
            tail.suffix(sequence.count - 1).elementsEqual(sequence.dropLast()) ? sequence.last : nil
        }
        if let mark = thinking?.banned { tokens.append(mark) }
        return tokens
    }

    var masksEndTokens: Bool { generatedCount < minTokens && !blockedBeforeMinimum.isEmpty }
    /// The logits are used as they are.
    var leavesLogits: Bool {
        counts == nil && bias.isEmpty && !masksEndTokens && parameters.allowedTokens == nil
            && parameters.bannedSequences.isEmpty && thinking?.banned == nil
    }

    /// Records the token that was chosen last.
    package mutating func append(_ token: Int32) {
        generatedCount += 1
        counts?.append(token)
        thinking?.append(token)
        guard tailLength > 0 else { return }
        if tail.count == tailLength { tail.removeFirst() }
        tail.append(token)
    }
}

/// How often each token occurred, as far as penalties need it: one entry per distinct token.
struct PenaltyCounts: Sendable {
    struct Entry: Sendable {
        let id: Int32
        /// Occurrences in the output; 0 for a token of the prompt only.
        var outputCount: Int32
    }

    private(set) var entries: [Entry] = []
    private var indexOfToken: [Int32: Int] = [:]

    init(promptTokens: [Int32]) {
        for token in promptTokens where indexOfToken[token] == nil {
            indexOfToken[token] = entries.count
            entries.append(Entry(id: token, outputCount: 0))
        }
    }

    mutating func append(_ token: Int32) {
        if let index = indexOfToken[token] {
            entries[index].outputCount += 1
        } else {
            indexOfToken[token] = entries.count
            entries.append(Entry(id: token, outputCount: 1))
        }
    }
}
