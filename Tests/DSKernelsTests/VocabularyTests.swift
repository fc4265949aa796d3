import DSKernels
import DSTestSupport
import Testing

@Suite struct VocabularyTests {
    @Test(arguments: [1, 2, 15, 16, 17, 1000])
    func argmaxIsTheFirstOfTheGreatest(count: Int) {
        var numbers = SplitMix(seed: UInt64(count))
        var row = numbers.floats(count).map { ($0 * 8).rounded() }
        let kernels = KernelSet.best()
        let expected = row.firstIndex(of: row.max() ?? 0)
        let found1 = row.withUnsafeBufferPointer { kernels.argmax($0) }
        #expect(found1 == expected)
        row[count / 2] = .nan
        let rest = row.indices.filter { !row[$0].isNaN }
        let winner = rest.min { (row[$1], $0) < (row[$0], $1) }
        let found2 = row.withUnsafeBufferPointer { kernels.argmax($0) }
        #expect(found2 == winner)
    }

    @Test func argmaxOfNothing() {
        let kernels = KernelSet.best()
        let found3 = [Float]().withUnsafeBufferPointer { kernels.argmax($0) }
        #expect(found3 == nil)
        let found4 = [Float.nan, .nan].withUnsafeBufferPointer { kernels.argmax($0) }
        #expect(found4 == nil)
        let found5 = [-Float.infinity, -.infinity].withUnsafeBufferPointer { kernels.argmax($0) }
        #expect(found5 == 0)
    }

    @Test(arguments: [1, 5, 40, 300], [1, 7, 40])
    func topKIsTheHeadOfTheSortedRow(count: Int, k: Int) {
        var numbers = SplitMix(seed: UInt64(count * 100 + k))
        let row = numbers.floats(count).map { ($0 * 20).rounded() }
        var values = [Float](repeating: 0, count: k)
        var ids = [Int32](repeating: 0, count: k)
        let found = row.withUnsafeBufferPointer { row in
            values.withUnsafeMutableBufferPointer { values in
                ids.withUnsafeMutableBufferPointer { KernelSet.best().topK(row, values: values, ids: $0) }
            }
        }
        let expected = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(k)
        #expect(found == expected.count)
        #expect(ids.prefix(found).map { Int($0) } == Array(expected))
        #expect(values.prefix(found).elementsEqual(expected.map { row[$0] }))
    }
}
