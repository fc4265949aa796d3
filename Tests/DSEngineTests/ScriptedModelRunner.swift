import DSEngine
import DSTestSupport
import Dispatch
import Synchronization

/// A model that is a hash: the logits after a token depend on every token that the request's cache rows hold up to it,
/// and on nothing else. A wrong block table, slot, position or row shows as different tokens.
final class ScriptedModelRunner: ModelRunner {
    let vocabularySize = 61
    let maximumContext: Int
    let blockCount: Int
    let blockSize: Int
    /// A batch that holds this token makes the forward pass fail.
    var poison: Int32?
    /// The logits after this token are NaN.
    var nanAfter: Int32?
    /// Holds back the first step until it is signalled, so that a test says which requests are there from the start.
    var gate: DispatchSemaphore?
    /// Tokens by cache row.
    private var cache: [Int32]
    private var logits: UnsafeMutableBufferPointer<Float>
    /// What a row of a step takes.
    var rowTime = Duration.zero
    /// Steps run so far, and those of them that were prompts' alone.
    let steps = Atomic<Int>(0)
    let promptSteps = Atomic<Int>(0)
    struct StepRows: Equatable {
        var promptRows = 0
        var decodeRows = 0
    }
    private(set) var lastStep = StepRows()
    /// What stands for each row's hidden state after the last step: the hash of everything up to its token.
    fileprivate(set) var hidden: [UInt64] = []
    var drafter: (any DraftRunner)?

    init(maximumContext: Int = 256, blockCount: Int = 64, blockSize: Int = 4) {
        self.maximumContext = maximumContext
        self.blockCount = blockCount
        self.blockSize = blockSize
        cache = Array(repeating: -1, count: blockCount * blockSize)
        logits = .allocate(capacity: 512 * 61)
    }

    deinit { logits.deallocate() }

    var limits: Scheduler.Limits {
        Scheduler.Limits(
            maxBatchTokens: 16, maxBatchSize: 8, blockSize: blockSize, blockCount: blockCount,
            maximumContext: min(maximumContext, blockCount * blockSize))
    }

    func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float> {
        gate?.wait()
        gate = nil
        steps.add(1, ordering: .relaxed)
        lastStep = StepRows(promptRows: batch.promptRows, decodeRows: batch.rows - batch.promptRows)
        if batch.promptRows == batch.rows { promptSteps.add(1, ordering: .relaxed) }
        let end = ContinuousClock.now + rowTime * batch.rows
        defer { while ContinuousClock.now < end {} }
        for row in 0..<batch.rows {
            cache[Int(batch.slots[row])] = batch.tokenIDs[row]
            if batch.tokenIDs[row] == poison { throw .modelFailure("poisoned") }
        }
        if drafter != nil { hidden = (0..<batch.rows).map { hash(batch, row: $0) } }
        for index in 0..<batch.sampledRows.count {
            let row = Int(batch.sampledRows[index])
            Self.write(
                hash(batch, row: row), isNaN: batch.tokenIDs[row] == nanAfter,
                to: logits.baseAddress! + index * vocabularySize)
        }
        return UnsafeBufferPointer(rebasing: logits[..<(batch.sampledRows.count * vocabularySize)])
    }

    var cacheIdentity: [UInt8] { Array("scripted".utf8) }
    var blockBytes: Int? { blockSize * 4 }

    func exportBlock(_ block: BlockID, into bytes: UnsafeMutableRawBufferPointer) {
        let start = Int(block.rawValue) * blockSize
        cache[start..<start + blockSize].withUnsafeBytes { bytes.copyMemory(from: $0) }
    }

    func importBlock(_ block: BlockID, from bytes: UnsafeRawBufferPointer) {
        for row in 0..<blockSize {
            cache[Int(block.rawValue) * blockSize + row] = bytes.loadUnaligned(fromByteOffset: 4 * row, as: Int32.self)
        }
    }

    /// The hash of the cache rows that a row of the batch sees.
    private func hash(_ batch: Batch, row: Int) -> UInt64 {
        for place in 0..<batch.sequences.count {
            let sequence = batch.sequences[place]
            guard (sequence.queryStart..<sequence.queryStart + sequence.queryCount).contains(row) else { continue }
            let context = sequence.contextLength - sequence.queryCount + (row - sequence.queryStart) + 1
            var hash = Self.start
            for token in 0..<context {
                let block = batch.blockTables[sequence.tableStart + token / blockSize]
                hash = Self.mix(hash, cache[Int(block) * blockSize + token % blockSize])
            }
            return hash
        }
        return 0
    }

    private static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    fileprivate static func mix(_ hash: UInt64, _ token: Int32) -> UInt64 {
        (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01B3
    }

    fileprivate static func write(_ hash: UInt64, isNaN: Bool, to row: UnsafeMutablePointer<Float>) {
        var random = SplitMix(seed: hash)
        for token in 0..<61 { row[token] = isNaN ? .nan : Float(random.next() >> 40) / Float(1 << 20) }
    }

    /// Greedy continuation without any engine: the oracle.
    static func continuation(_ prompt: [Int32], count: Int, endTokens: [Int32] = []) -> [Int32] {
        var hash = prompt.reduce(start, mix)
        var tokens: [Int32] = []
        while tokens.count < count {
            var random = SplitMix(seed: hash)
            let row = (0..<61).map { _ in Float(random.next() >> 40) / Float(1 << 20) }
            let best = Int32(row.firstIndex(of: row.max() ?? 0) ?? 0)
            tokens.append(best)
            if endTokens.contains(best) { break }
            hash = mix(hash, best)
        }
        return tokens
    }
}

/// A number that a test and an engine's thread share.
final class Counter: Sendable {
    let value = Atomic<Int>(0)
}

/// A drafter that knows the scripted model: from the hash up to a token and the next token it computes the logits after
/// that. Any wrong row, token, slot or source makes its guesses wrong.
final class ScriptedDrafter: DraftRunner {
    private unowned let model: ScriptedModelRunner
    /// Every so many guesses is wrong; 0: none.
    let errorEvery: Int
    private var hidden: [UInt64] = []
    private var guesses = 0
    /// By cache row: the token of the row and the hash of everything up to it. A row that belongs to another request or to a
    /// guess that was wrong does not continue the one before it.
    private var cache: [Int: (token: Int32, hash: UInt64)] = [:]
    private var logits = UnsafeMutableBufferPointer<Float>.allocate(capacity: 512 * 61)
    /// Cache rows that a sequence saw and that are not its own.
    private let holes: Counter

    init(_ model: ScriptedModelRunner, errorEvery: Int, holes: Counter) {
        self.model = model
        self.errorEvery = errorEvery
        self.holes = holes
    }

    deinit { logits.deallocate() }

    func run(
        _ batch: Batch, sources: borrowing RowBuffer<Int32>, isContinuation: Bool
    ) throws(EngineError) -> UnsafeBufferPointer<Float> {
        let before = isContinuation ? hidden : model.hidden
        hidden = []
        for row in 0..<batch.rows {
            hidden.append(ScriptedModelRunner.mix(before[Int(sources[row])], batch.tokenIDs[row]))
            cache[Int(batch.slots[row])] = (batch.tokenIDs[row], hidden[row])
        }
        for place in 0..<batch.sequences.count {
            let sequence = batch.sequences[place]
            var before: UInt64?
            for token in 0..<sequence.contextLength {
                let block = batch.blockTables[sequence.tableStart + token / batch.blockSize]
                let row = cache[Int(block) * batch.blockSize + token % batch.blockSize]
                if row == nil || before.map({ ScriptedModelRunner.mix($0, row?.token ?? 0) != row?.hash }) ?? false {
                    holes.value.add(1, ordering: .relaxed)
                }
                before = row?.hash
            }
        }
        for index in 0..<batch.sampledRows.count {
            let start = logits.baseAddress! + index * model.vocabularySize
            ScriptedModelRunner.write(hidden[Int(batch.sampledRows[index])], isNaN: false, to: start)
            guesses += 1
            if errorEvery > 0, guesses % errorEvery == 0 { start[guesses % model.vocabularySize] = 1e9 }
        }
        return UnsafeBufferPointer(rebasing: logits[..<(batch.sampledRows.count * model.vocabularySize)])
    }
}

extension GenerationRequest {
    static func greedy(_ prompt: [Int32], _ maxTokens: Int?) -> GenerationRequest {
        GenerationRequest(promptTokens: prompt, sampling: .greedy, stopping: StoppingConditions(maxTokens: maxTokens))
    }
}

extension TokenChannel {
    /// Everything up to the end.
    func drain() async throws -> (tokens: [Int32], result: GenerationResult?) {
        var tokens: [Int32] = []
        var result: GenerationResult?
        while let event = try await next() {
            switch event {
            case .token(let token): tokens.append(token.id)
            case .finished(let found): result = found
            case .prompt, .embedding: break
            }
        }
        return (tokens, result)
    }
}

extension TokenStream {
    /// Everything up to the end; the stream lives as long.
    func drain() async throws -> (tokens: [Int32], result: GenerationResult?) {
        var tokens: [Int32] = []
        for try await event in self {
            switch event {
            case .token(let token): tokens.append(token.id)
            case .finished(let result): return (tokens, result)
            case .prompt, .embedding: break
            }
        }
        return (tokens, nil)
    }
}
