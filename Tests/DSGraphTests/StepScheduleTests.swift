import DSGraph
import DSTestSupport
import Testing

@Suite struct StepScheduleTests {
    /// Random steps: each conflict of the original order is kept by a barrier, or by equal ownership inside one epoch.
    @Test(arguments: Array(UInt64(1)...60)) func keepsConflicts(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let owners: [Ownership?] = [
            nil, .rows(RowCount(.tokens)), .rows(RowCount(.tokens, times: 2)), .elements(RowCount(.tokens), columns: 4),
        ]
        let steps = (0..<Int.random(in: 2...60, using: &random)).map { _ in
            StepAccess(
                reads: (0..<2).map { _ in .buffer(Int.random(in: 0..<8, using: &random)) },
                writes: [.buffer(Int.random(in: 0..<8, using: &random))],
                ownership: owners[Int.random(in: 0..<owners.count, using: &random)])
        }
        let schedule = StepSchedule(steps)
        var place = [Int](repeating: 0, count: steps.count)
        for (position, step) in schedule.order.enumerated() { place[step] = position }
        for first in steps.indices {
            for second in steps.indices where second > first && conflict(steps[first], steps[second]) {
                #expect(place[first] < place[second], "seed \(seed): \(first) before \(second)")
                let apart = schedule.epochs[first] < schedule.epochs[second]
                let owned = steps[first].ownership != nil && steps[first].ownership == steps[second].ownership
                #expect(apart || (owned && schedule.epochs[first] == schedule.epochs[second]), "seed \(seed)")
            }
        }
    }

    private func conflict(_ a: StepAccess, _ b: StepAccess) -> Bool {
        let written = Set(a.writes)
        return !written.isDisjoint(with: b.reads + b.writes) || !Set(a.reads).isDisjoint(with: b.writes)
    }

    @Test func stateIsNeverOwned() {
        let rows = Ownership.rows(RowCount(.tokens))
        let schedule = StepSchedule([
            StepAccess(reads: [], writes: [.state(0)], ownership: rows),
            StepAccess(reads: [.state(0)], writes: [.buffer(0)], ownership: rows),
        ])
        #expect(schedule.epochs == [0, 1])
    }
}
