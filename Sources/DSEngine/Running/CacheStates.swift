internal import DSGraph

/// The key/value state of a graph: a buffer per entry of `Graph.states`, all with the same rows.
final class CacheStates {
    let byteCount: Int
    let addresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    private let buffers: [any DeviceBuffer]
    /// Bytes of a row, by state.
    private let widths: [Int]
    /// Bytes of a row over all states.
    var rowBytes: Int { widths.reduce(0, +) }

    init(_ graph: Graph, backend: any Backend, rows: Int) throws(GraphError) {
        var buffers: [any DeviceBuffer] = []
        for state in graph.states {
            buffers.append(try backend.makeBuffer(byteCount: rows * Self.rowBytes(state), device: 0))
        }
        self.buffers = buffers
        widths = graph.states.map(Self.rowBytes)
        byteCount = Self.byteCount(graph, rows: rows)
        addresses = .allocate(capacity: buffers.count)
        for (index, buffer) in buffers.enumerated() { addresses.initializeElement(at: index, to: buffer.address) }
    }

    deinit { addresses.deallocate() }

    /// Copies consecutive rows of all states out, one state after the other, [rows * bytes of a row].
    func exportRows(_ rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count == rows.count * rowBytes, "as many bytes as the rows have")
        guard var target = bytes.baseAddress else { return }
        for (index, width) in widths.enumerated() {
            target.copyMemory(from: addresses[index] + rows.lowerBound * width, byteCount: rows.count * width)
            target += rows.count * width
        }
    }

    /// The reverse.
    func importRows(_ rows: Range<Int>, from bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == rows.count * rowBytes, "as many bytes as the rows have")
        guard var source = bytes.baseAddress else { return }
        for (index, width) in widths.enumerated() {
            (addresses[index] + rows.lowerBound * width).copyMemory(from: source, byteCount: rows.count * width)
            source += rows.count * width
        }
    }

    static func byteCount(_ graph: Graph, rows: Int) -> Int {
        rows * graph.states.reduce(0) { $0 + rowBytes($1) }
    }

    /// A cache type that does not fill a state's rows was refused with the configuration.
    private static func rowBytes(_ state: StateSpec) -> Int { state.rowBytes ?? 0 }
}
