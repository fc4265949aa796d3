#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The C library's functions that Swift has no method for.
enum Logarithm {
    static func natural(_ value: Double) -> Double { log(value) }
    static func decimal(_ value: Double) -> Double { log10(value) }
    static func tenToThe(_ exponent: Int) -> Double { pow(10, Double(exponent)) }
}
