/// Finds the members of a JSON object as they were written: numbers keep all their digits.
enum JSONMembers {
    /// The text of the first member of that name, blanks around it left out. The text must be an object that was parsed
    /// before; names that are written with escapes are not found.
    static func text(of name: String, in object: [UInt8]) -> ArraySlice<UInt8>? {
        let quoted = Array("\"\(name)\"".utf8)
        var place = JSONStringTracker()
        var depth = 0
        var start = 0
        var isWanted = false
        for (index, byte) in object.enumerated() {
            let isText = place.isInString
            place.push(byte)
            if isText || place.isInString { continue }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { start = index + 1 }
            case UInt8(ascii: ":") where depth == 1:
                isWanted = object[start..<index].withoutBlanks.elementsEqual(quoted)
                start = index + 1
            case UInt8(ascii: ",") where depth == 1, UInt8(ascii: "}") where depth == 1:
                if isWanted { return object[start..<index].withoutBlanks }
                start = index + 1
                if byte != UInt8(ascii: ",") { depth -= 1 }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        return nil
    }
}
