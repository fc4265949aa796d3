import DSGrammar
import DSSupport
import Testing

@Suite("JSON schemas")
struct SchemaTests {
    struct Case: Sendable {
        let schema: String
        let valid: [String]
        let others: [String]
    }

    static let cases = [
        Case(schema: "{\"type\":\"integer\"}", valid: ["0", "-12", "7"], others: ["01", "1.0", "-0", "", "\"1\""]),
        Case(schema: "{\"type\":\"number\"}", valid: ["0", "-1.5", "2e10", "0.0"], others: [".5", "1.", "1e", "+1"]),
        Case(
            schema: "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":120}", valid: ["-5", "0", "99", "120", "-1"],
            others: ["-6", "121", "1000", "-0"]),
        Case(
            schema: "{\"type\":\"integer\",\"exclusiveMinimum\":9,\"exclusiveMaximum\":21}", valid: ["10", "20"],
            others: ["9", "21", "100", "1"]),
        Case(
            schema: "{\"minimum\":0.25,\"maximum\":1.5,\"type\":\"number\"}",
            valid: ["0.25", "0.3", "1", "1.5", "1.50", "1.49999"], others: ["0.2", "0", "1.51", "2", "-1", "0.24999"]),
        Case(
            schema: "{\"exclusiveMinimum\":0,\"type\":\"number\"}", valid: ["0.001", "1", "12.5"],
            others: ["0", "0.0", "-1"]),
        Case(
            schema: "{\"maximum\":-1.5,\"type\":\"number\"}", valid: ["-1.5", "-2", "-10.25"],
            others: ["-1.4", "0", "1", "-1"]),
        Case(schema: "{\"type\":\"integer\",\"multipleOf\":7}", valid: ["0", "7", "-14", "70"], others: ["1", "15"]),
        Case(
            schema: "{\"type\":\"integer\",\"multipleOf\":5,\"minimum\":12,\"maximum\":26}", valid: ["15", "20", "25"],
            others: ["10", "30", "5"]),
        Case(
            schema: "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
            valid: ["\"ab\"", "\"你好你\"", "\"\\n\\u00e4\"", "\"\\ud83d\\ude00x\""],
            others: ["\"a\"", "\"abcd\"", "\"\\n\""]),
        Case(
            schema: "{\"type\":\"string\",\"pattern\":\"^[a-c]+$\",\"maxLength\":2}", valid: ["\"a\"", "\"cb\""],
            others: ["\"\"", "\"abc\"", "\"d\""]),
        Case(
            schema: "{\"type\":\"string\",\"pattern\":\"b\\\"\"}", valid: ["\"ab\\\"c\""], others: ["\"ab\"", "\"\""]),
        Case(
            schema: "{\"enum\":[1,\"a\",null,[2,{\"b\":3}]]}", valid: ["1", "\"a\"", "null", "[2, {\"b\": 3}]"],
            others: ["2", "true"]),
        Case(schema: "{\"const\":{\"a\":[true]}}", valid: ["{\"a\": [true]}"], others: ["{}"]),
        Case(
            schema:
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"boolean\"}},\"required\":[\"b\"]}",
            valid: ["{\"a\": 1, \"b\": true}", "{\"b\":false}", "{\"a\":1,\"b\":true}"],
            others: [
                "{}", "{\"a\": 1}", "{\"b\": true, \"a\": 1}", "{\"a\":1,}", "{,\"b\":true}", "{\"b\":true,\"c\":1}",
            ]),
        Case(
            schema: "{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"null\"},\"type\":\"object\"}",
            valid: ["{}", "{\"x\":null}", "{\"a\":[1],\"x\":null,\"yy\":null}"],
            others: ["{\"x\":1}", "{\"\\u0061\":null}", "{\"x\":null,\"a\":1}"]),
        Case(
            schema:
                "{\"type\":\"object\",\"patternProperties\":{\"^n\":{\"type\":\"integer\"}},\"additionalProperties\":false}",
            valid: ["{}", "{\"n\":1,\"nn\":2}"], others: ["{\"m\":1}", "{\"n\":null}"]),
        Case(
            schema:
                "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":1},\"b\":{\"const\":2},\"c\":{\"const\":3}},\"minProperties\":2,\"maxProperties\":2}",
            valid: ["{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":3}", "{\"b\":2,\"c\":3}"],
            others: ["{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3}", "{}"]),
        Case(
            schema: "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":3}",
            valid: ["[1]", "[1, 2,3]"], others: ["[]", "[1,2,3,4]", "[1,]", "[ 1]"]),
        Case(
            schema:
                "{\"type\":\"array\",\"prefixItems\":[{\"const\":1},{\"const\":2}],\"items\":{\"const\":3},\"minItems\":1}",
            valid: ["[1]", "[1,2]", "[1,2,3,3]"], others: ["[]", "[2]", "[1,3]"]),
        Case(
            schema: "{\"type\":\"array\",\"contains\":{\"const\":7},\"items\":{\"type\":\"integer\"}}",
            valid: ["[7]", "[1,7,2]"], others: ["[]", "[1]"]),
        Case(
            schema:
                "{\"$ref\":\"#/$defs/tree\",\"$defs\":{\"tree\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"kids\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/tree\"}}},\"required\":[\"v\"]}}}",
            valid: ["{\"v\":1}", "{\"v\":1,\"kids\":[{\"v\":2,\"kids\":[]},{\"v\":3}]}"], others: ["{\"kids\":[]}"]),
        Case(
            schema: "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":1},{\"type\":\"integer\"}],\"maximum\":5}",
            valid: ["\"a\"", "5"], others: ["6", "\"ab\"", "null"]),
        Case(
            schema: "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", valid: ["null", "\"x\""], others: ["1"]),
        Case(
            schema: "{\"type\":\"integer\",\"oneOf\":[{\"minimum\":5},{\"maximum\":9}]}", valid: ["4", "10"],
            others: ["5", "7", "9"]),
        Case(
            schema:
                "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},{\"properties\":{\"a\":{\"minimum\":3},\"b\":{\"type\":\"null\"}}}],\"type\":\"object\"}",
            valid: ["{\"a\":3}", "{\"a\":4,\"b\":null}"], others: ["{\"a\":2}", "{}"]),
        Case(
            schema: "{\"type\":[\"string\",\"null\"],\"not\":{\"enum\":[\"x\",\"yy\"]}}",
            valid: ["null", "\"y\"", "\"xx\""], others: ["\"x\"", "\"yy\"", "\"\\u0078\""]),
        Case(
            schema:
                "{\"type\":\"object\",\"properties\":{\"k\":{\"enum\":[\"a\",\"b\"]},\"n\":{\"type\":\"integer\"}},\"required\":[\"k\"],\"if\":{\"properties\":{\"k\":{\"const\":\"a\"}},\"required\":[\"k\"]},\"then\":{\"required\":[\"n\"]}}",
            valid: ["{\"k\":\"a\",\"n\":1}", "{\"k\":\"b\"}"], others: ["{\"k\":\"a\"}"]),
        Case(
            schema: "{\"type\":\"string\",\"format\":\"date\"}", valid: ["\"2024-02-29\"", "\"1999-12-31\""],
            others: ["\"2023-02-29\"", "\"2024-13-01\"", "\"2024-04-31\""]),
        Case(
            schema: "{\"type\":\"string\",\"format\":\"ipv4\"}", valid: ["\"1.2.3.255\""],
            others: ["\"1.2.3.256\"", "\"1.2.3\"", "\"01.2.3.4\""]),
        Case(schema: "true", valid: ["1", "{\"a\":[null]}"], others: ["", "{"]),
        Case(
            schema: "{\"type\":\"object\",\"propertyNames\":{\"maxLength\":2}}", valid: ["{\"ab\":1}"],
            others: ["{\"abc\":1}"]),
        Case(
            schema:
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"null\"}},\"dependentRequired\":{\"a\":[\"b\"]}}",
            valid: ["{}", "{\"b\":null}", "{\"a\":null,\"b\":null}"], others: ["{\"a\":null}"]),
    ]

    @Test("Texts are accepted where they are values of the schema, in its order", arguments: cases.indices)
    func accepts(index: Int) throws {
        let grammar = try Letters.compile(Letters.schema(Self.cases[index].schema))
        for text in Self.cases[index].valid { #expect(try Letters.accepts(grammar, text), "\(text)") }
        for text in Self.cases[index].others { #expect(try !Letters.accepts(grammar, text), "\(text)") }
    }

    @Test(
        "What cannot be enforced is an error that names it",
        arguments: [
            ("{\"uniqueItems\":true}", "uniqueItems"),
            ("{\"properties\":{\"a\":{\"$dynamicRef\":\"#x\"}}}", "$dynamicRef"),
            ("{\"$ref\":\"http://elsewhere/x\"}", "another document"),
            ("{\"type\":\"number\",\"multipleOf\":0.1}", "multipleOf"),
            ("{\"format\":\"nonsense\"}", "format"), ("{\"enum\":[-9223372036854775809]}", "enum"),
            ("{\"type\":\"strin\"}", "'strin'"),
            ("{\"type\":\"string\",\"pattern\":\"(a)\\\\1\"}", "references"),
            ("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", "matches"),
            ("{\"not\":{\"uniqueItems\":true}}", "uniqueItems"), ("false", "matches"),
            ("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}", "at most"),
            ("{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}", "matches"),
        ])
    func refused(schema: String, message: String) throws {
        let error = #expect(throws: GrammarError.self) { try Letters.compile(Letters.schema(schema)) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test("White space is bounded")
    func whitespace() throws {
        let schema =
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"null\"}}},\"required\":[\"a\"]}"
        let none = try Letters.compile(Letters.schema(schema, whitespace: .none))
        #expect(try Letters.accepts(none, "{\"a\":[null,null]}"))
        #expect(try !Letters.accepts(none, "{\"a\": []}"))
        let some = try Letters.compile(Letters.schema(schema, whitespace: .upTo(3)))
        #expect(try Letters.accepts(some, "{\n \"a\" : [ null ,\n null]\n}"))
        #expect(try !Letters.accepts(some, "{    \"a\":[]}"))
        #expect(try !Letters.accepts(some, "{\"a\":[]} "))
    }

    @Test("Objects are open where that is asked for")
    func open() throws {
        let schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"}}}"
        let grammar = try Letters.compile(Letters.schema(schema, closesObjects: false))
        #expect(try Letters.accepts(grammar, "{\"a\":null,\"b\":[1]}"))
        #expect(try !Letters.accepts(grammar, "{\"b\":1,\"a\":1}"))
    }
}
