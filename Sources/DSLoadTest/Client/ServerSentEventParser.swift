/// Cuts a `text/event-stream` into events (WHATWG HTML, section 9.2.6), however its bytes are split. An event without its
/// blank line at the end of the stream is dropped, as the standard says.
package struct ServerSentEventParser: Sendable {
    private var line: [UInt8] = []
    private var name: String?
    private var data: [UInt8] = []
    private var hasData = false
    private var followsCarriageReturn = false
    private var isFirstLine = true

    package init() {}

    package mutating func feed(_ bytes: some Sequence<UInt8>, _ emit: (ServerSentEvent) -> Void) {
        for byte in bytes {
            if followsCarriageReturn {
                followsCarriageReturn = false
                if byte == 0x0A { continue }
            }
            switch byte {
            case 0x0A, 0x0D:
                followsCarriageReturn = byte == 0x0D
                endLine(emit)
            default: line.append(byte)
            }
        }
    }

    private mutating func endLine(_ emit: (ServerSentEvent) -> Void) {
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return dispatch(emit) }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == 0x20 { value.removeFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(0x0A) }
            data.append(contentsOf: value)
            hasData = true
        case "event": name = String(decoding: value, as: UTF8.self)
        // Comments have an empty name; `id` and `retry` are for clients that reconnect.
        default: break
        }
    }

    private mutating func dispatch(_ emit: (ServerSentEvent) -> Void) {
        if hasData { emit(ServerSentEvent(name: name, data: data)) }
        name = nil
        data.removeAll(keepingCapacity: true)
        hasData = false
    }
}
