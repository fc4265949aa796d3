import DSGraph
import DSTestSupport
import Testing

@Suite struct MemoryPlannerTests {
    /// Random live ranges: buffers that live together never overlap, and the plan stays near the lower bound.
    @Test(arguments: Array(UInt64(1)...40)) func randomWalk(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var requests: [BufferRequest] = []
        for step in 0..<Int.random(in: 1...120, using: &random) {
            let first = Int.random(in: 0...60, using: &random)
            requests.append(
                BufferRequest(
                    byteCount: Int.random(in: 0...(1 << Int.random(in: 1...16, using: &random)), using: &random),
                    firstEpoch: first, lastEpoch: first + Int.random(in: 0...20, using: &random)))
            guard step % 10 == 0 else { continue }
            let plan = MemoryPlan(requests)
            try plan.checkInvariants()
            #expect(plan.byteCount < 2 * plan.lowerBound + 1)
        }
    }

    /// A chain needs two buffers at a time, however long it is.
    @Test func chainUsesTwoBuffers() throws {
        let requests = (0..<50).map { BufferRequest(byteCount: 640, firstEpoch: $0, lastEpoch: $0 + 1) }
        let plan = MemoryPlan(requests)
        try plan.checkInvariants()
        #expect(plan.byteCount == 1280)
        #expect(plan.lowerBound == 1280)
    }

    /// The check itself sees an overlap: a plan is rebuilt with one request moved into another's time.
    @Test func invariantCheckCanFail() {
        let short = [
            BufferRequest(byteCount: 64, firstEpoch: 0, lastEpoch: 0),
            BufferRequest(byteCount: 64, firstEpoch: 1, lastEpoch: 1),
        ]
        var long = short
        long[0].lastEpoch = 1
        #expect(MemoryPlan(short).byteCount == 64)
        #expect(MemoryPlan(long).byteCount == 128)
        #expect(throws: GraphError.self) { try MemoryPlan(long, offsets: MemoryPlan(short).offsets).checkInvariants() }
    }
}
