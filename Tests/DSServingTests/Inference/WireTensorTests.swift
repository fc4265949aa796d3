import DSServing
import DSSupport
import Testing

@Suite struct WireTensorTests {
    private func tensor(_ datatype: TensorDatatype, _ shape: [Int], _ json: String) throws -> WireTensor {
        try WireTensor(name: "X", datatype: datatype, shape: shape, data: try JSONValue.parse(json))
    }

    @Test func everyTypeOfJSONSurvives() throws {
        let cases: [(TensorDatatype, String)] = [
            (.bool, "[true,false]"), (.uint8, "[0,255]"), (.int8, "[-128,127]"), (.uint16, "[0,65535]"),
            (.int16, "[-32768,32767]"), (.uint32, "[0,4294967295]"), (.int32, "[-2147483648,2147483647]"),
            (.uint64, "[0,9223372036854775807]"), (.int64, "[-9223372036854775808,9223372036854775807]"),
            (.fp32, "[0.5,-2.25]"), (.fp64, "[0.1,1e+300]"), (.bytes, #"["","é\n"]"#),
        ]
        for (datatype, json) in cases {
            let tensor = try tensor(datatype, [2], json)
            let expected = try JSONValue.parse(json)
            #expect(try tensor.jsonData() == expected, "\(datatype)")
            let copy = try WireTensor(name: "X", datatype: datatype, shape: [2], bytes: tensor.bytes)
            #expect(copy == tensor)
        }
    }

    @Test func nestedDataIsRowMajor() throws {
        #expect(try tensor(.int8, [2, 2], "[[1,2],[3,4]]").bytes == [1, 2, 3, 4])
        #expect(try tensor(.int16, [1], "[258]").bytes == [2, 1])
        #expect(try tensor(.bytes, [1], #"["ab"]"#).bytes == [2, 0, 0, 0, 97, 98])
        #expect(try tensor(.fp32, [1], "[1]").bytes == [0, 0, 128, 63])
    }

    @Test(arguments: [
        (TensorDatatype.int8, [1], "[128]"), (.uint8, [1], "[-1]"), (.int32, [1], "[1.5]"), (.int32, [1], #"["1"]"#),
        (.int32, [2], "[1]"), (.int32, [1], "[1,2]"), (.bool, [1], "[2]"), (.bytes, [1], "[1]"),
        (.fp16, [1], "[1]"), (.bf16, [1], "[1]"), (.fp32, [1], "[null]"), (.int32, [-1], "[1]"),
        (.int32, [Int.max, 2], "[1]"),
    ])
    func wrongDataNamesTheTensor(datatype: TensorDatatype, shape: [Int], json: String) {
        #expect {
            try tensor(datatype, shape, json)
        } throws: { error in
            (error as? InferenceError).map { $0.message.contains("'X'") && $0.message.contains("expected") } ?? false
        }
    }

    @Test(arguments: [
        ([UInt8](), [1]), ([1, 0, 0], [1]), ([2, 0, 0, 0, 97], [1]), ([255, 255, 255, 255, 97], [1]),
        ([0, 0, 0, 0], [2]), ([0, 0, 0, 0, 0, 0, 0, 0], [1]),
    ])
    func wrongStringsAreRefused(bytes: [UInt8], shape: [Int]) {
        #expect(throws: InferenceError.self) {
            try WireTensor(name: "X", datatype: .bytes, shape: shape, bytes: bytes)
        }
    }

    @Test func valuesThatJSONLacksAreErrors() throws {
        let infinite = try WireTensor(name: "X", datatype: .fp32, shape: [1], bytes: [0, 0, 128, 127])
        #expect(throws: InferenceError.self) { try infinite.jsonData() }
        let text = try WireTensor(name: "X", datatype: .bytes, shape: [1], bytes: [1, 0, 0, 0, 255])
        #expect(throws: InferenceError.self) { try text.jsonData() }
    }
}
