/// An insertion-ordered JSON object. Keys compare byte-wise.
package struct JSONObject: Sendable {
    package struct Member: Sendable, Equatable {
        package var key: JSONString
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []
    /// Open-addressing table of `member index + 1`, 0 = free; empty while a linear search is cheaper.
    private var slots: [Int32] = []

    private static let linearLimit = 8

    package init() {}

    /// Later members replace the value of earlier ones with the same key.
    package init(_ members: some Sequence<(JSONString, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [JSONString] { members.map(\.key) }
    package var values: [JSONValue] { members.map(\.value) }

    package subscript(_ key: String) -> JSONValue? {
        get { self[JSONString(key)] }
        set { self[JSONString(key)] = newValue }
    }

    package subscript(_ key: JSONString) -> JSONValue? {
        get { index(of: key.bytes).map { members[$0].value } }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            if let index = insert(key, newValue) { members[index].value = newValue }
        }
    }

    package mutating func removeValue(forKey key: JSONString) {
        guard let index = index(of: key.bytes) else { return }
        members.remove(at: index)
        rebuild()
    }

    /// Appends a member unless the key exists; then nothing changes and the existing member's index is returned.
    @discardableResult
    package mutating func insert(_ key: JSONString, _ value: JSONValue) -> Int? {
        if slots.isEmpty {
            if let index = members.firstIndex(where: { $0.key == key }) { return index }
            members.append(Member(key: key, value: value))
            if members.count > Self.linearLimit { rebuild() }
            return nil
        }
        let slot = slot(of: key.bytes)
        if slots[slot] != 0 { return Int(slots[slot]) - 1 }
        members.append(Member(key: key, value: value))
        slots[slot] = Int32(truncatingIfNeeded: members.count)
        if members.count * 2 > slots.count { rebuild() }
        return nil
    }

    package mutating func setValue(_ value: JSONValue, at index: Int) { members[index].value = value }

    private func index(of key: [UInt8]) -> Int? {
        if slots.isEmpty { return members.firstIndex { $0.key.bytes == key } }
        let entry = slots[slot(of: key)]
        return entry == 0 ? nil : Int(entry) - 1
    }

    /// The slot that holds the key, or the free slot where it belongs.
    private func slot(of key: [UInt8]) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: SeededHash.hash(key)) & mask
        while slots[slot] != 0, members[Int(slots[slot]) - 1].key.bytes != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func rebuild() {
        guard members.count > Self.linearLimit else {
            slots = []
            return
        }
        var capacity = 32
        while capacity < members.count * 4 { capacity *= 2 }
        slots = [Int32](repeating: 0, count: capacity)
        for index in members.indices {
            slots[slot(of: members[index].key.bytes)] = Int32(truncatingIfNeeded: index + 1)
        }
    }
}

extension JSONObject: Equatable {
    /// Member order is no part of a JSON object's value.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSONObject: Sequence {
    package func makeIterator() -> AnyIterator<(key: JSONString, value: JSONValue)> {
        var index = 0
        return AnyIterator { [members] in
            guard index < members.count else { return nil }
            defer { index += 1 }
            return (members[index].key, members[index].value)
        }
    }
}

/// A byte hash seeded per process, so that a hostile document cannot choose colliding keys.
package enum SeededHash {
    private static let seed = UInt64.random(in: .min ... .max) | 1

    package static func hash(_ bytes: [UInt8]) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe hash($0) }
    }

    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            state = unsafe mix(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < bytes.count {
            tail = tail << 8 | UInt64(unsafe bytes[offset])
            offset += 1
        }
        return mix(mix(state ^ tail))
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}
