import DSEngine
import Foundation
import Synchronization
import Testing

/// When tokens reach who waits for them.
@Suite("Delivery") struct DeliveryTests {
    /// Tokens that the consumer has.
    private final class Received: Sendable { let count = Atomic<Int>(0) }

    /// Continues 10, 11, ... 16, 10, ..., so that look-up guesses right; steps take longer than consumers may be left asleep.
    /// Before each it waits until the consumer has what the steps before gave, or gives up after a long time.
    private final class WaitingRunner: ModelRunner {
        let vocabularySize = 64
        let maximumContext = 4096
        let blockCount = 256
        let blockSize = 16
        private let logits = UnsafeMutableBufferPointer<Float>.allocate(capacity: 64 * 64)
        private let received: Received
        private let promptCount: Int
        private let missed: Received

        init(_ received: Received, missed: Received, promptCount: Int) {
            self.received = received
            self.missed = missed
            self.promptCount = promptCount
        }

        deinit { logits.deallocate() }

        func run(_ batch: Batch) throws(EngineError) -> UnsafeBufferPointer<Float> {
            // The position of the first row is how many tokens are known but for the newest, which this row reads.
            let given = Int(batch.positions[0]) + 1 - promptCount
            // Far more than a busy machine needs to run the consumer.
            let end = ContinuousClock.now + .seconds(30)
            while received.count.load(ordering: .acquiring) < given {
                if ContinuousClock.now > end {
                    missed.count.add(1, ordering: .relaxed)
                    break
                }
                Thread.sleep(forTimeInterval: 0.0005)
            }
            Thread.sleep(forTimeInterval: 0.005)
            let rows = batch.sampledRows.count
            logits.initialize(repeating: 0)
            for index in 0..<rows {
                let token = Int(batch.tokenIDs[Int(batch.sampledRows[index])])
                logits[index * vocabularySize + (token - 10 + 1) % 7 + 10] = 20
            }
            return UnsafeBufferPointer(rebasing: logits[..<(rows * vocabularySize)])
        }
    }

    /// Of a step that gives several tokens none waits for the end of the next step.
    @Test func tokensOfAStepComeBeforeTheNext() async throws {
        let (received, missed) = (Received(), Received())
        let prompt = (0..<28).map { Int32($0 % 7 + 10) }
        var configuration = EngineConfiguration()
        configuration.speculation = .lookup
        configuration.draftsAlways = true
        let runner = WaitingRunner(received, missed: missed, promptCount: prompt.count)
        let engine = try Engine(runner: runner, endTokens: [], configuration: configuration)
        var request = GenerationRequest(promptTokens: prompt, sampling: .greedy)
        request.stopping.maxTokens = 60
        for try await event in try engine.submit(request) {
            if case .token = event { received.count.add(1, ordering: .releasing) }
        }
        #expect(received.count.load(ordering: .relaxed) == 60)
        #expect(missed.count.load(ordering: .relaxed) == 0)
        #expect(engine.statistics().acceptedDraftTokens > 30)
        await engine.shutdown()
    }
}
