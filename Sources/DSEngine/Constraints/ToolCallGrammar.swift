package import DSGrammar
package import DSSupport
package import DSTokenizers

/// Grammars of tool calls in the markup of each family of models, with arguments that follow the tools' schemas.
package enum ToolCallGrammar {
    /// At least one call of one of the tools; exactly one unless `isParallel`.
    ///
    /// Throws for a dialect without tool calls, and for parameters that its markup cannot express.
    package static func source(
        _ tools: [JSONValue], dialect: OutputDialect, isParallel: Bool
    ) throws(GrammarError) -> GrammarSource {
        guard !tools.isEmpty else {
            throw .malformed(what: "tools", expected: "at least one to be called", found: "none")
        }
        var functions: [Function] = []
        for (index, tool) in tools.enumerated() { functions.append(try Function(tool, index: index)) }
        switch dialect {
        case .plain:
            throw .unsupported(
                keyword: "tool_choice", path: "the request", reason: "the model's format has no tool calls")
        case .deepSeekV3:
            return deepSeek(functions, isParallel, separator: .text("\n")) { function in
                [
                    .text("function"), .marker("<｜tool▁sep｜>"), .text(function.name + "\n```json\n"),
                    function.arguments,
                    .text("\n```"),
                ]
            }
        case .deepSeekV31:
            return deepSeek(functions, isParallel, separator: .text("")) { function in
                [.text(function.name), .marker("<｜tool▁sep｜>"), function.arguments]
            }
        case .deepSeekV32: return try dsml(functions, isParallel, block: "function_calls", space: "")
        case .deepSeekV4: return try dsml(functions, isParallel, block: "tool_calls", space: "")
        case .deepSeekV41: return try dsml(functions, isParallel, block: "calls", space: " ")
        case .hermes:
            let calls = functions.map { function in
                GrammarSource.sequence([
                    .marker("<tool_call>"),
                    .text("\n{\"name\": \(JSONValue.text(function.name).serializedString()), \"arguments\": "),
                    function.arguments, .text("}\n"), .marker("</tool_call>"),
                ])
            }
            return several(.either(calls), isParallel, separator: .text("\n"))
        }
    }

    private struct Function {
        let name: String
        /// A JSON schema.
        let parameters: JSONValue

        init(_ tool: JSONValue, index: Int) throws(GrammarError) {
            let function = tool["function"] ?? tool
            guard let name = function["name"]?.stringValue else {
                throw .malformed(what: "tools[\(index)]", expected: "a function with a name", found: tool.typeName)
            }
            self.name = name
            // Without a schema a function takes no arguments.
            parameters = function["parameters"] ?? ["type": "object", "properties": [:], "additionalProperties": false]
        }

        var arguments: GrammarSource { .jsonSchema(JSONSchemaSource(parameters, kinds: .objects, owner: place)) }

        /// Where its schema is, for errors.
        var place: String { "the parameters of '\(name)'" }
    }

    private static func several(
        _ call: GrammarSource, _ isParallel: Bool, separator: GrammarSource
    ) -> GrammarSource {
        guard isParallel else { return call }
        return .sequence([call, .repeated(.sequence([separator, call]), atLeast: 0, atMost: nil)])
    }

    private static func deepSeek(
        _ functions: [Function], _ isParallel: Bool, separator: GrammarSource,
        _ body: (Function) -> [GrammarSource]
    ) -> GrammarSource {
        let bodies = functions.map { GrammarSource.sequence(body($0)) }
        let call = GrammarSource.sequence([
            .marker("<｜tool▁call▁begin｜>"), .either(bodies), .marker("<｜tool▁call▁end｜>"),
        ])
        return .sequence([
            .marker("<｜tool▁calls▁begin｜>"), several(call, isParallel, separator: separator),
            .marker("<｜tool▁calls▁end｜>"),
        ])
    }

    // MARK: DSML

    private static let mark = GrammarSource.marker("｜DSML｜")

    /// - Parameter space: what stands in front of the tags' names.
    private static func dsml(
        _ functions: [Function], _ isParallel: Bool, block: String, space: String
    ) throws(GrammarError) -> GrammarSource {
        var invocations: [GrammarSource] = []
        for function in functions {
            var parts: [GrammarSource] = [.text("<"), mark, .text("\(space)invoke name=\"\(function.name)\">\n")]
            parts += try parameters(function, space)
            invocations.append(.sequence(parts + [.text("</"), mark, .text("\(space)invoke>")]))
        }
        return .sequence([
            .text("\n\n<"), mark, .text("\(space)\(block)>\n"),
            several(.either(invocations), isParallel, separator: .text("\n")),
            .text("\n</"), mark, .text("\(space)\(block)>"),
        ])
    }

    /// Each parameter is a tag: strings as they are, other values as JSON.
    private static func parameters(_ function: Function, _ space: String) throws(GrammarError) -> [GrammarSource] {
        let schema = function.parameters
        for keyword in ["$ref", "allOf", "anyOf", "oneOf", "patternProperties", "not", "if", "minProperties"] {
            guard schema[keyword] == nil else {
                throw .unsupported(
                    keyword: keyword, path: function.place,
                    reason: "the model's format has a tag per parameter")
            }
        }
        let properties = schema["properties"]?.objectValue ?? JSONObject()
        let required = schema["required"]?.arrayValue ?? []
        for name in required where name.bytesValue.map({ properties[JSONString(bytes: $0)] == nil }) ?? true {
            throw .malformed(
                what: function.place, expected: "required ones among the properties",
                found: name.serializedString())
        }
        let source = JSONSchemaSource(schema, owner: function.place)
        return properties.members.map { member in
            let isRequired = required.contains(.string(member.key))
            let tag = parameter(member.key.string, source, space)
            return .repeated(tag, atLeast: isRequired ? 1 : 0, atMost: 1)
        }
    }

    private static func parameter(_ name: String, _ schema: JSONSchemaSource, _ space: String) -> GrammarSource {
        let path = ["properties", name]
        let close = "</｜DSML｜"
        let text = GrammarSource.bareString(schema.part(path), end: close)
        let json = GrammarSource.jsonSchema(schema.part(path, kinds: .others))
        let head = "\(space)parameter name=\"\(name)\" string="
        return .sequence([
            .text("<"), mark, .text(head),
            .either([
                .sequence([.text("\"true\">"), text]), .sequence([.text("\"false\">"), json]),
            ]),
            .text("</"), mark, .text("\(space)parameter>\n"),
        ])
    }
}
