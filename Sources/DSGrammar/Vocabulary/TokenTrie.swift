/// Token texts as a tree of bytes, in the order in which a walk from the root meets its nodes.
struct TokenTrie: Sendable {
    struct Node: Sendable {
        /// The node behind this one's subtree.
        var next: Int32
        /// The token whose text ends here; -1: none.
        var token: Int32
        /// Bytes before this one's.
        var depth: UInt16
        var byte: UInt8
    }

    private(set) var nodes: [Node] = []
    /// Tokens with the text of another, which stands in the tree for both.
    private(set) var twins: [(first: Int32, other: Int32)] = []
    /// Bytes of the longest text.
    private(set) var depth = 0

    /// A text that is longer than any sensible token is left out, and never allowed.
    private static let maximumLength = 4096

    init(_ texts: [[UInt8]]) {
        let order = texts.indices.filter { (1...Self.maximumLength).contains(texts[$0].count) }
            .sorted { texts[$0] == texts[$1] ? $0 < $1 : texts[$0].lexicographicallyPrecedes(texts[$1]) }
        nodes.reserveCapacity(order.count * 2)
        // Nodes on the way to the last token.
        var path: [Int] = []
        var last: [UInt8] = []
        for index in order {
            let text = texts[index]
            if text == last {
                twins.append((nodes[path[path.count - 1]].token, Int32(index)))
                continue
            }
            var shared = 0
            while shared < last.count, shared < text.count, last[shared] == text[shared] { shared += 1 }
            close(&path, to: shared)
            for offset in shared..<text.count {
                path.append(nodes.count)
                nodes.append(Node(next: 0, token: -1, depth: UInt16(offset), byte: text[offset]))
            }
            nodes[path[path.count - 1]].token = Int32(index)
            depth = max(depth, text.count)
            last = text
        }
        close(&path, to: 0)
    }

    private mutating func close(_ path: inout [Int], to length: Int) {
        while path.count > length { nodes[path.removeLast()].next = Int32(nodes.count) }
    }
}
