import DSEngine
import DSTestSupport
import Testing

@Suite("Block pool")
struct BlockPoolTests {
    @Test("A walk of allocate, retain and release agrees with a dictionary of counts", arguments: UInt64(1)...20)
    func walk(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let capacity = 1 + random.below(40)
        var pool = BlockPool(blockCount: capacity)
        var model: [BlockID: Int] = [:]
        for _ in 0..<2000 {
            let owned = model.keys.sorted { $0.rawValue < $1.rawValue }
            switch random.below(3) {
            case 0:
                let block = pool.allocate()
                #expect((block == nil) == (model.count == capacity), "seed \(seed)")
                if let block {
                    #expect(model[block] == nil, "seed \(seed): handed out a block in use")
                    model[block] = 1
                }
            case 1 where !owned.isEmpty:
                let block = owned[random.below(owned.count)]
                pool.retain(block)
                model[block, default: 0] += 1
            case 2 where !owned.isEmpty:
                let block = owned[random.below(owned.count)]
                pool.release(block)
                model[block] = model[block] == 1 ? nil : (model[block] ?? 0) - 1
            default: break
            }
            try pool.checkInvariants()
            #expect(pool.usedCount == model.count, "seed \(seed)")
            for (block, count) in model { #expect(pool.referenceCount(block) == count, "seed \(seed)") }
        }
    }

    @Test func handsOutTheBlockThatWasReleasedLast() {
        var pool = BlockPool(blockCount: 3)
        let first = pool.allocate()
        let second = pool.allocate()
        if let first { pool.release(first) }
        #expect(pool.allocate() == first)
        #expect(second != first)
    }

    @Test("Kept blocks are handed out last, the longest unused first, and come back to life", arguments: UInt64(1)...20)
    func keptBlocks(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var pool = BlockPool(blockCount: 1 + random.below(12))
        var owned: [BlockID] = []
        /// Free and kept, oldest first.
        var idle: [BlockID] = []
        var blank = pool.blockCount
        for _ in 0..<2000 {
            switch random.below(4) {
            case 0, 1:
                let expected = blank > 0 ? nil : idle.first
                let block = pool.allocate()
                #expect((block == nil) == (blank + idle.count == 0), "seed \(seed)")
                guard let block else { break }
                if blank > 0 {
                    blank -= 1
                    #expect(!idle.contains(block), "seed \(seed): a kept block before a blank one")
                } else {
                    #expect(block == expected, "seed \(seed): not the longest unused")
                    idle.removeFirst()
                }
                owned.append(block)
            case 2 where !owned.isEmpty:
                let block = owned.remove(at: random.below(owned.count))
                if random.chance(60) { pool.keep(block) }
                let isKept = pool.isKept(block)
                pool.release(block)
                if isKept { idle.append(block) } else { blank += 1 }
            case 3 where !idle.isEmpty:
                if idle.count > 1, random.chance(30) {
                    let below = idle[random.below(idle.count - 1) + 1]
                    let block = idle[0]
                    pool.demote(block, below: below)
                    idle.removeFirst()
                    idle.insert(block, at: idle.firstIndex(of: below) ?? 0)
                } else {
                    let block = idle.remove(at: random.below(idle.count))
                    pool.retain(block)
                    owned.append(block)
                }
            default: break
            }
            try pool.checkInvariants()
            #expect(pool.idleCount == idle.count && pool.freeCount == blank + idle.count, "seed \(seed)")
        }
    }
}
