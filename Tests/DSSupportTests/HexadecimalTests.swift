import DSSupport
import Testing

@Suite struct HexadecimalTests {
    @Test func everyByteThereAndBack() {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(
            bytes.hexadecimal.count == 512 && bytes.hexadecimal.hasPrefix("000102")
                && bytes.hexadecimal.hasSuffix("feff"))
        #expect([UInt8](hexadecimal: bytes.hexadecimal) == bytes)
        #expect([UInt8](hexadecimal: bytes.hexadecimal.uppercased()) == bytes)
        #expect([UInt8]().hexadecimal.isEmpty && [UInt8](hexadecimal: "") == [])
    }

    // A sign is no digit, and neither is a digit of another script.
    @Test(arguments: ["a", "abc", "+a", "-1", " 1", "0x", "gg", "٣٣", "ａｂ"])
    func othersAreRefused(text: String) { #expect([UInt8](hexadecimal: text) == nil) }
}
