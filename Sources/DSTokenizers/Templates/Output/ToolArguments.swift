/// The arguments of a call on their way through. A fence of back quotes around them and blanks at their ends are markup;
/// inside JSON's strings nothing is. Text that is no JSON passes as it is.
struct ToolArguments: Sendable {
    private enum Phase { case lead, fence, body }

    private var phase = Phase.lead
    private var isFenced = false
    private var place = JSONStringTracker()
    /// Blanks and back quotes that may belong to the end.
    private var tail: [UInt8] = []
    private(set) var isEmpty = true

    var isInString: Bool { place.isInString }

    /// The bytes that are certain to be arguments.
    mutating func push(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var certain: [UInt8] = []
        for byte in text { push(byte, &certain) }
        if !certain.isEmpty { isEmpty = false }
        return certain
    }

    /// What is left when the arguments end here.
    mutating func end() -> [UInt8] {
        guard phase == .fence else { return [] }
        // A beginning that was no fence after all.
        return tail.starts(with: Self.fence) ? [] : tail
    }

    private static let fence = Array("```".utf8)
    private static let languages = ["", "json"].map { Array($0.utf8) }

    private mutating func push(_ byte: UInt8, _ certain: inout [UInt8]) {
        switch phase {
        case .lead:
            if byte.isBlank { return }
            phase = byte == Self.fence[0] ? .fence : .body
        case .fence where byte == Self.fence[0] || (0x61...0x7A).contains(byte):
            break
        case .fence:
            isFenced = tail.starts(with: Self.fence)
            if !isFenced || !Self.languages.contains(where: tail.dropFirst(Self.fence.count).elementsEqual) {
                certain += isFenced ? tail.dropFirst(Self.fence.count) : tail[...]
            }
            tail = []
            phase = isFenced && byte.isBlank ? .lead : .body
            if phase == .lead { return }
        case .body: break
        }
        if phase == .fence { tail.append(byte) } else { body(byte, &certain) }
    }

    private mutating func body(_ byte: UInt8, _ certain: inout [UInt8]) {
        if !place.isInString, byte.isBlank || (isFenced && byte == Self.fence[0]) {
            tail.append(byte)
            return
        }
        if !tail.isEmpty {
            certain += tail
            tail = []
        }
        certain.append(byte)
        place.push(byte)
    }
}
