import DSKernels
import Foundation
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files of `/sys/devices/system`, or of a control group, in a folder that goes with this object.
private final class Fixture {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("system-\(UUID().uuidString)")

    init(_ files: [String: String]) throws {
        for (name, text) in files {
            let file = root.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    /// - Parameter lists: of each node, by number.
    convenience init(online: String, _ lists: [Int: String], siblings: [Int: String] = [:]) throws {
        var files = ["node/online": online + "\n"]
        for (node, list) in lists { files["node/node\(node)/cpulist"] = list + "\n" }
        for (processor, list) in siblings { files["cpu/cpu\(processor)/topology/thread_siblings_list"] = list + "\n" }
        try self.init(files)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func nodes(_ allowed: some Sequence<Int>) -> ProcessorNodes {
        ProcessorNodes(root: root.path, allowed: Array(allowed))
    }
}

@Suite struct ProcessorsTests {
    @Test(arguments: [
        ("0", [0]), ("0-3", [0, 1, 2, 3]), ("0-1,8,10-11", [0, 1, 8, 10, 11]), ("", []), ("1023", [1023]),
    ])
    func listsParse(text: String, expected: [Int]) { #expect(ProcessorNodes.numbers(text) == expected) }

    @Test(arguments: ["a", "1-", "-1", "3-1", "1-2-3", "0-99999999999", "0-3:1/2", "1024"])
    func noList(text: String) { #expect(ProcessorNodes.numbers(text) == nil) }

    // MARK: Nodes

    @Test func oneNode() throws {
        let system = try Fixture(online: "0", [0: "0-3"])
        #expect(system.nodes(0..<4).nodes == [[0, 1, 2, 3]])
        #expect(system.nodes([1, 3]).nodes == [[1, 3]])
        #expect(system.nodes([]).nodes == [])
    }

    @Test func twoNodes() throws {
        let system = try Fixture(online: "0-1", [0: "0-3", 1: "4-7"])
        #expect(system.nodes(0..<8).nodes == [[0, 1, 2, 3], [4, 5, 6, 7]])
        #expect(system.nodes([2, 3, 4]).nodes == [[2, 3], [4]])
        #expect(system.nodes(4..<8).nodes == [[4, 5, 6, 7]], "no worker goes to a node without usable processors")
    }

    /// Node numbers with a hole, processors of turns, an offline processor (5, in no list) and memory without processors.
    @Test func fourNodes() throws {
        let system = try Fixture(online: "0,2-4", [0: "0,4,8", 2: "1,9", 3: "2,6,10", 4: ""])
        #expect(system.nodes(0..<12).nodes == [[0, 4, 8], [1, 9], [2, 6, 10], [3, 5, 7, 11]])
        #expect(system.nodes([0, 1, 2, 4, 6, 8, 9, 10]).nodes == [[0, 4, 8], [1, 9], [2, 6, 10]])
    }

    /// Two threads per core: neighbours in one case, halves of the node's list in the other.
    @Test func coresComeFirst() throws {
        let neighbours = try Fixture(
            online: "0", [0: "0-3"], siblings: [0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"])
        #expect(neighbours.nodes(0..<4).nodes == [[0, 2, 1, 3]])
        #expect(neighbours.nodes(1..<4).nodes == [[1, 2, 3]], "a sibling that may not be used holds nobody back")
        let halves = try Fixture(
            online: "0", [0: "0-3"], siblings: [0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"])
        #expect(halves.nodes(0..<4).nodes == [[0, 1, 2, 3]])
    }

    @Test func withoutFilesThereIsOneNode() throws {
        #expect(try Fixture([:]).nodes([0, 5]).nodes == [[0, 5]])
        #expect(try Fixture(["node/online": "none"]).nodes([0, 5]).nodes == [[0, 5]])
        #expect(try Fixture(["node/online": "0-1"]).nodes([0, 5]).nodes == [[0, 5]])
    }

    // MARK: Workers

    @Test(arguments: [
        (1, [0]), (2, [0, 4]), (3, [0, 1, 4]), (4, [0, 1, 4, 5]), (8, [0, 1, 2, 3, 4, 5, 6, 7]),
        (10, [0, 1, 2, 3, 0, 4, 5, 6, 7, 4]),
    ])
    func workersSpread(count: Int, expected: [Int]) throws {
        let nodes = try Fixture(online: "0-1", [0: "0-3", 1: "4-7"]).nodes(0..<8)
        for (worker, processor) in expected.enumerated() {
            #expect(nodes.processors(of: worker, count: count, pinning: .processors) == [processor])
            let node = processor < 4 ? [0, 1, 2, 3] : [4, 5, 6, 7]
            #expect(nodes.processors(of: worker, count: count, pinning: .nodes) == node)
            #expect(nodes.processors(of: worker, count: count, pinning: .none) == nil)
        }
    }

    /// Over all counts: nodes in order, none with more than its share, no processor twice before all have a worker.
    @Test func spreadsAreEven() throws {
        let nodes = try Fixture(online: "0-3", [0: "0-5", 1: "6-7", 2: "8", 3: "9-12"]).nodes(0..<13)
        let sizes = nodes.nodes.map(\.count)
        for count in 1...40 {
            let places = try (0..<count).map {
                try #require(nodes.processors(of: $0, count: count, pinning: .processors))
            }
            let homes = places.map { place in nodes.nodes.firstIndex { $0.contains(place[0]) } ?? -1 }
            #expect(homes == homes.sorted())
            for (node, size) in sizes.enumerated() {
                let workers = homes.count { $0 == node }
                #expect(abs(Double(workers) - Double(count * size) / 13) < 1)
                let used = Set(places.filter { nodes.nodes[node].contains($0[0]) }.map { $0[0] })
                #expect(used.count == min(workers, size))
            }
        }
    }

    // MARK: Binding

    /// The system's own word, beside the call that the kernels use.
    private static func ownMask() -> [Int] {
        let status = try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        return line.flatMap { ProcessorNodes.numbers($0.dropFirst(18).trimmingCharacters(in: .whitespaces)) } ?? []
    }

    /// The masks of all workers in a run.
    private static func masks(_ pool: ThreadPool) -> [[Int]] {
        let arrived = Atomic<Int>(0)
        let masks = Mutex([[Int]](repeating: [], count: pool.threadCount))
        pool.run { share in
            let own = ownMask()
            masks.withLock { $0[share.worker] = own }
            arrived.add(1, ordering: .sequentiallyConsistent)
            // Each waits for the others, so that nobody takes two parts.
            while arrived.load(ordering: .sequentiallyConsistent) < pool.threadCount { sched_yield() }
        }
        return masks.withLock { $0 }
    }

    @Test(arguments: [1, 2, 3], [ThreadPinning.none, .processors, .nodes])
    func threadsAreBound(count: Int, pinning: ThreadPinning) throws {
        let allowed = Processors.affinity
        guard !allowed.isEmpty else { return }  // Not Linux.
        #expect(Self.ownMask() == allowed)
        let nodes = ProcessorNodes()
        let expected = (0..<count).map {
            nodes.processors(of: $0, count: count, pinning: pinning)?.sorted() ?? allowed
        }
        if pinning == .processors { #expect(expected.allSatisfy { $0.count == 1 }) }
        let pool = try ThreadPool(threadCount: count, pinning: pinning, bindsCaller: true)
        #expect(Self.masks(pool) == expected)
        #expect(Self.ownMask() == allowed, "the caller gets its mask back")
        let free = try ThreadPool(threadCount: count, pinning: pinning)
        #expect(Self.masks(free) == [allowed] + expected.dropFirst(), "a library's caller is not bound")
    }

    // MARK: Quotas

    @Test(arguments: [("200000 100000", 2.0), ("50000 100000\n", 0.5)])
    func quotasParse(line: String, expected: Double) {
        #expect(Processors.quota(cpuMax: line) == expected)
    }

    @Test(arguments: ["max 100000", "", "1 2 3", "x y", "100000 0", "inf 100000"])
    func noQuota(line: String) { #expect(Processors.quota(cpuMax: line) == nil) }

    @Test(
        arguments: [
            ("150000", "100000", 1.5), ("50000", "100000", 0.5), ("-1", "100000", nil), ("100000", "0", nil),
            ("x", "100000", nil), ("100000", nil, nil),
        ] as [(String, String?, Double?)])
    func quotasOfVersion1(limit: String, period: String?, expected: Double?) throws {
        var files = ["cpu.cfs_quota_us": limit + "\n"]
        if let period { files["cpu.cfs_period_us"] = period + "\n" }
        let group = try Fixture(files)
        #expect(Processors.quota(of: group.root.path, isUnified: false) == expected)
        #expect(Processors.quota(of: group.root.path, isUnified: true) == nil)
    }

    @Test func quotaOfVersion2() throws {
        let group = try Fixture(["cpu.max": "300000 100000\n"])
        #expect(Processors.quota(of: group.root.path, isUnified: true) == 3)
        #expect(Processors.quota(of: group.root.path, isUnified: false) == nil)
    }
}
