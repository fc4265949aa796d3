internal import DSSupport

/// A bound of numbers as decimal digits, so that texts of numbers can be compared with it digit by digit.
struct DecimalBound: Hashable, Sendable {
    var isNegative: Bool
    /// Without leading zeros; "0" for none.
    var integer: [UInt8]
    /// Without trailing zeros.
    var fraction: [UInt8]
    /// The bound itself does not belong.
    var isExclusive: Bool

    /// Nil for what is no number.
    init?(_ value: JSONValue, isExclusive: Bool) {
        let text: String
        switch value {
        case .integer(let value): text = String(value)
        case .number(let value): text = PythonFloat.text(value)
        default: return nil
        }
        self.isExclusive = isExclusive
        var digits = Array(text.utf8)
        isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        var exponent = 0
        if let mark = digits.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(decoding: digits[(mark + 1)...], as: UTF8.self)) ?? 0
            digits.removeSubrange(mark...)
        }
        let point = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.count
        var whole = Array(digits[..<point])
        var rest = point < digits.count ? Array(digits[(point + 1)...]) : []
        while exponent > 0 {
            whole.append(rest.isEmpty ? 0x30 : rest.removeFirst())
            exponent -= 1
        }
        while exponent < 0 {
            rest.insert(whole.popLast() ?? 0x30, at: 0)
            exponent += 1
        }
        while whole.first == 0x30 { whole.removeFirst() }
        while rest.last == 0x30 { rest.removeLast() }
        integer = whole.isEmpty ? [0x30] : whole
        fraction = rest
        if integer == [0x30], fraction.isEmpty { isNegative = false }
    }

    var isZero: Bool { integer == [0x30] && fraction.isEmpty }
}

/// Numbers up to or from a bound.
extension JSONGrammar {
    /// Texts of numbers (no exponent) that are at least `bound`.
    func atLeast(_ bound: DecimalBound, isInteger: Bool) -> Term {
        let minus = table.literal("-")
        guard bound.isNegative || bound.isZero else { return above(bound, isInteger: isInteger) }
        let negative = table.sequence(minus, below(bound, isInteger: isInteger, isNegated: true))
        if bound.isZero, bound.isExclusive { return above(bound, isInteger: isInteger) }
        return table.either(unsigned(isInteger: isInteger), negative)
    }

    /// Texts of numbers (no exponent) that are at most `bound`.
    func atMost(_ bound: DecimalBound, isInteger: Bool) -> Term {
        let minus = table.literal("-")
        if bound.isNegative { return table.sequence(minus, above(bound, isInteger: isInteger)) }
        var zero = bound
        zero.integer = [0x30]
        zero.fraction = []
        zero.isExclusive = true
        let negative = table.sequence(minus, above(zero, isInteger: isInteger))
        return table.either(negative, below(bound, isInteger: isInteger, isNegated: false))
    }

    private func unsigned(isInteger: Bool) -> Term {
        isInteger ? natural() : table.sequence(natural(), optionalFraction())
    }

    private func optionalFraction() -> Term {
        table.optional(table.sequence(table.literal("."), digits(1, Self.maximumDigits)))
    }

    /// Magnitudes at least as large as the bound's.
    private func above(_ bound: DecimalBound, isInteger: Bool) -> Term {
        let larger = table.sequence(integerAbove(bound.integer), isInteger ? .empty : optionalFraction())
        let equal = table.addLiteral(bound.integer)
        let fraction = isInteger ? [] : bound.fraction
        if isInteger {
            let isIn = bound.fraction.isEmpty && !bound.isExclusive
            return isIn ? table.either(larger, equal) : larger
        }
        let tail = table.sequence(table.literal("."), fractionAbove(fraction[...], bound.isExclusive, count: 0))
        let mayEnd = fraction.isEmpty && !bound.isExclusive
        return table.either(larger, table.sequence(equal, mayEnd ? table.optional(tail) : tail))
    }

    /// Magnitudes at most as large as the bound's; negated ones are written without "-0".
    private func below(_ bound: DecimalBound, isInteger: Bool, isNegated: Bool) -> Term {
        let smaller = table.sequence(integerBelow(bound.integer), isInteger ? .empty : optionalFraction())
        let equal = table.addLiteral(bound.integer)
        var result: Term
        if isInteger {
            let isIn = !bound.fraction.isEmpty || !bound.isExclusive
            result = isIn ? table.either(smaller, equal) : smaller
        } else {
            let tail = table.sequence(
                table.literal("."), fractionBelow(bound.fraction[...], bound.isExclusive, count: 0))
            let mayEnd = !bound.fraction.isEmpty || !bound.isExclusive
            result = table.either(smaller, table.sequence(equal, mayEnd ? table.optional(tail) : tail))
        }
        if isNegated { result = table.both([result, table.complement(table.literal("0"))]) }
        return result
    }

    private func digit(_ low: UInt8, _ high: UInt8) -> Term {
        low <= high ? table.bytes(ByteSet(low...high)) : .nothing
    }

    /// Natural numbers larger than these digits.
    private func integerAbove(_ number: [UInt8]) -> Term {
        var members: [Term] = []
        if number.count < Self.maximumDigits {
            members.append(table.sequence(digit(0x31, 0x39), digits(number.count, Self.maximumDigits - 1)))
        }
        for index in number.indices where number.count <= Self.maximumDigits {
            let larger = digit(number[index] + 1, 0x39)
            let count = number.count - index - 1
            members.append(
                table.sequence([table.addLiteral(Array(number[..<index])), larger, digits(count, count)]))
        }
        return table.either(members)
    }

    /// Natural numbers smaller than these digits.
    private func integerBelow(_ number: [UInt8]) -> Term {
        guard number != [0x30] else { return .nothing }
        var members = [table.literal("0")]
        if number.count > 1 {
            let longest = min(number.count - 2, Self.maximumDigits - 1)
            members.append(table.sequence(digit(0x31, 0x39), digits(0, longest)))
        }
        for index in number.indices where number.count <= Self.maximumDigits {
            let smaller = digit(index == 0 ? 0x31 : 0x30, number[index] - 1)
            let count = number.count - index - 1
            members.append(
                table.sequence([table.addLiteral(Array(number[..<index])), smaller, digits(count, count)]))
        }
        return table.either(members)
    }

    /// Digits behind the point that stand for at least `fraction`; one at least.
    private func fractionAbove(_ fraction: ArraySlice<UInt8>, _ isExclusive: Bool, count: Int) -> Term {
        let room = Self.maximumDigits - count
        guard let first = fraction.first else {
            guard isExclusive else { return digits(count == 0 ? 1 : 0, room) }
            let zeros = table.repeated(table.literal("0"), 0, room - 1)
            return table.sequence([zeros, digit(0x31, 0x39), digits(0, room)])
        }
        let larger = table.sequence(digit(first + 1, 0x39), digits(0, room - 1))
        let equal = table.addLiteral([first])
        return table.either(
            larger, table.sequence(equal, fractionAbove(fraction.dropFirst(), isExclusive, count: count + 1)))
    }

    /// Digits behind the point that stand for at most `fraction`; one at least.
    private func fractionBelow(_ fraction: ArraySlice<UInt8>, _ isExclusive: Bool, count: Int) -> Term {
        let room = Self.maximumDigits - count
        guard let first = fraction.first else {
            return isExclusive ? .nothing : table.repeated(table.literal("0"), count == 0 ? 1 : 0, room)
        }
        let smaller = table.sequence(digit(0x30, first - 1), digits(0, room - 1))
        let rest = fraction.dropFirst()
        let deeper = fractionBelow(rest, isExclusive, count: count + 1)
        // What ends here counts as zeros, which is less unless nothing is left to be less than.
        let equal = table.sequence(
            table.addLiteral([first]), rest.isEmpty ? deeper : table.optional(deeper))
        return table.either(smaller, equal)
    }
}
