import DSBlockStores
import DSEngine
import Testing

@Suite struct UseOrderTests {
    @Test("A seeded walk agrees with a list that is searched", arguments: UInt64(1)...8)
    func walk(seed: UInt64) throws {
        var generator = Congruential(state: seed)
        var order = UseOrder()
        var list: [(key: BlockKey, size: Int)] = []
        for _ in 0..<4000 {
            let key = TestBlocks.key(Int(generator.next() % 40))
            let index = list.firstIndex { $0.key == key }
            switch generator.next() % 5 {
            case 0, 1:
                let size = Int(generator.next() % 100)
                if let index { list.remove(at: index) }
                list.append((key, size))
                order.insert(key, byteCount: size)
            case 2, 3:
                if let index { list.append(list.remove(at: index)) }
                order.touch(key)
            default:
                if generator.next() % 2 == 0 {
                    if let index { list.remove(at: index) }
                    order.remove(key)
                } else {
                    let oldest = list.isEmpty ? nil : list.removeFirst().key
                    #expect(order.removeOldest() == oldest, "seed \(seed)")
                }
            }
            #expect(order.count == list.count && order.usedBytes == list.reduce(0) { $0 + $1.size }, "seed \(seed)")
            try order.checkInvariants()
        }
    }
}
