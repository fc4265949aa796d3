internal import DSSupport

/// The usable processors by the memory node that they are next to.
package struct ProcessorNodes: Equatable, Sendable {
    /// Processors of each node that has a usable one, in the order in which workers take them. No node is empty.
    package let nodes: [[Int]]

    /// Reads `node/online`, `node/node*/cpulist` and `cpu/cpu*/topology/thread_siblings_list` below `root`. A processor that
    /// no node lists is in a last one; without any of these files there is one node.
    package init(root: String = "/sys/devices/system", allowed: [Int] = Processors.affinity) {
        var left = Set(allowed)
        var nodes: [[Int]] = []
        for number in Self.list(at: "\(root)/node/online") ?? [] {
            let own = (Self.list(at: "\(root)/node/node\(number)/cpulist") ?? []).filter { left.remove($0) != nil }
            nodes.append(own)
        }
        nodes.append(left.sorted())
        self.nodes = nodes.filter { !$0.isEmpty }.map { Self.coresFirst($0, root) }
    }

    /// The processors of `worker`, one of `count`; nil where none are known.
    ///
    /// Workers go through the nodes in order, to each as many as its share of the processors: neighbouring parts of a
    /// matrix's rows are on one node.
    package func processors(of worker: Int, count: Int, pinning: ThreadPinning) -> [Int]? {
        let total = nodes.reduce(0) { $0 + $1.count }
        guard pinning != .none, total > 0 else { return nil }
        var start = 0
        for node in nodes {
            // Worker w belongs where processor w * total / count is.
            let first = (start * count + total - 1) / total
            let last = ((start + node.count) * count + total - 1) / total
            if worker < last { return pinning == .nodes ? node : [node[(worker - first) % node.count]] }
            start += node.count
        }
        return nil
    }

    /// Parses a list of numbers as the system writes it, such as `0-3,8,10-11`; nil if it is something else.
    package static func numbers(_ text: String) -> [Int]? {
        var numbers: [Int] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first >= 0, first <= last, last < ProcessorSet.limit
            else { return nil }
            numbers += first...last
        }
        return numbers
    }

    private static func list(at path: String) -> [Int]? { ControlGroup.text(path).flatMap { numbers($0) } }

    /// One thread of each core before any core's second one.
    private static func coresFirst(_ processors: [Int], _ root: String) -> [Int] {
        let rank = processors.map { processor in
            let siblings = list(at: "\(root)/cpu/cpu\(processor)/topology/thread_siblings_list") ?? []
            return siblings.filter { $0 < processor && processors.contains($0) }.count
        }
        return zip(rank, processors).sorted { $0 < $1 }.map { $1 }
    }
}
