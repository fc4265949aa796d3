internal import Synchronization

/// A set of Unicode scalars, as sorted ranges with gaps between them.
struct ScalarRanges: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>] = []

    init() {}

    init(_ ranges: [ClosedRange<UInt32>]) {
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound &+ 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    init(_ scalars: some Sequence<Unicode.Scalar>) { self.init(scalars.map { $0.value...$0.value }) }

    /// Everything; surrogates are no scalars, and drop out where bytes are made.
    static let all = ScalarRanges([0...0x10FFFF])

    var isEmpty: Bool { ranges.isEmpty }

    func union(_ other: ScalarRanges) -> ScalarRanges { ScalarRanges(ranges + other.ranges) }

    var inverted: ScalarRanges {
        var result: [ClosedRange<UInt32>] = []
        var start: UInt32 = 0
        for range in ranges {
            if range.lowerBound > start { result.append(start...range.lowerBound - 1) }
            start = range.upperBound + 1
        }
        if start <= 0x10FFFF { result.append(start...0x10FFFF) }
        return ScalarRanges(result)
    }

    func subtracting(_ other: ScalarRanges) -> ScalarRanges { intersection(other.inverted) }

    func intersection(_ other: ScalarRanges) -> ScalarRanges {
        var result: [ClosedRange<UInt32>] = []
        var (left, right) = (0, 0)
        while left < ranges.count, right < other.ranges.count {
            let low = max(ranges[left].lowerBound, other.ranges[right].lowerBound)
            let high = min(ranges[left].upperBound, other.ranges[right].upperBound)
            if low <= high { result.append(low...high) }
            if ranges[left].upperBound < other.ranges[right].upperBound { left += 1 } else { right += 1 }
        }
        return ScalarRanges(result)
    }
}

/// The classes that patterns name.
///
/// Schemas are read by validators of several languages, whose classes differ beyond ASCII. A class here is what all of
/// them agree on, and so is a negated one: what is generated is valid for each.
extension ScalarRanges {
    static let digits = ScalarRanges([0x30...0x39])
    static let word = ScalarRanges([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = ScalarRanges([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000,
    ])
    static let notDigits = category { $0 == .decimalNumber }.inverted
    static let notWord = category { isLetter($0) || isNumber($0) }.union(word).inverted
    static let notSpace = space.union(ScalarRanges([0x1C...0x1F, 0x85...0x85, 0xFEFF...0xFEFF, 0x180E...0x180E]))
        .inverted
    /// What `.` means.
    static let notNewline = ScalarRanges([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).inverted

    private static func isLetter(_ category: Unicode.GeneralCategory) -> Bool {
        [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter].contains(category)
    }

    private static func isNumber(_ category: Unicode.GeneralCategory) -> Bool {
        [.decimalNumber, .letterNumber, .otherNumber].contains(category)
    }

    private static func category(_ belongs: (Unicode.GeneralCategory) -> Bool) -> ScalarRanges {
        var result: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for value in UInt32(0)...0x110000 {
            let isIn = Unicode.Scalar(value).map { belongs($0.properties.generalCategory) } ?? false
            if isIn, start == nil { start = value }
            if !isIn, let first = start {
                result.append(first...value - 1)
                start = nil
            }
        }
        return ScalarRanges(result)
    }

    /// General categories that `\p{…}` names.
    static func named(_ name: String) -> ScalarRanges? {
        if let known = knownCategories.withLock({ $0[name] }) { return known }
        // Every scalar is asked for its category.
        guard let found = lookedUp(name) else { return nil }
        knownCategories.withLock { $0[name] = found }
        return found
    }

    private static let knownCategories = Mutex<[String: ScalarRanges]>([:])

    private static func lookedUp(_ name: String) -> ScalarRanges? {
        switch name {
        case "L", "Letter": category(isLetter)
        case "Lu", "Uppercase_Letter": category { $0 == .uppercaseLetter }
        case "Ll", "Lowercase_Letter": category { $0 == .lowercaseLetter }
        case "Lt", "Titlecase_Letter": category { $0 == .titlecaseLetter }
        case "Lm", "Modifier_Letter": category { $0 == .modifierLetter }
        case "Lo", "Other_Letter": category { $0 == .otherLetter }
        case "N", "Number": category(isNumber)
        case "Nd", "Decimal_Number", "digit": category { $0 == .decimalNumber }
        case "Nl", "Letter_Number": category { $0 == .letterNumber }
        case "No", "Other_Number": category { $0 == .otherNumber }
        case "P", "Punctuation", "punct":
            category {
                [
                    .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                    .finalPunctuation, .otherPunctuation,
                ].contains($0)
            }
        case "M", "Mark": category { [.nonspacingMark, .spacingMark, .enclosingMark].contains($0) }
        case "S", "Symbol": category { [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol].contains($0) }
        case "Z", "Separator": category { [.spaceSeparator, .lineSeparator, .paragraphSeparator].contains($0) }
        case "Zs", "Space_Separator": category { $0 == .spaceSeparator }
        default: nil
        }
    }
}
