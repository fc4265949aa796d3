/// A tag of DSML, such as `<｜DSML｜parameter name="city" string="true">`.
struct DSMLTag: Sendable, Equatable {
    enum Element: Sendable { case calls, invoke, parameter }

    var element: Element
    var isClosing = false
    /// `<｜DSML｜invoke name="now"/>`
    var isSelfClosing = false
    /// Of a call or a parameter.
    var name: [UInt8] = []
    /// The parameter's value is the text between its tags, otherwise it is JSON.
    var isText = true
    /// The tag as it was written.
    var literal: [UInt8]
    /// The tag without its mark, for places where it cannot stand.
    var visible: [UInt8]

    /// V3.2 writes `function_calls`, V4 `tool_calls`, V4.1 ` calls`; V4 was seen to write the last two.
    private static let blocks = ["function_calls", "tool_calls", "calls", "toolcalls", "tool"].map { Array($0.utf8) }
    private static let invoke = Array("invoke".utf8)
    private static let parameter = Array("parameter".utf8)

    private init(_ element: Element, visible: [UInt8]) {
        self.element = element
        literal = []
        self.visible = visible
    }

    static let longestElement = 14

    /// V4.1 writes a space in front of the names.
    static func element(_ name: ArraySlice<UInt8>) -> Element? {
        if name.elementsEqual(invoke) { return .invoke }
        if name.elementsEqual(parameter) { return .parameter }
        return blocks.contains { name.elementsEqual($0) } ? .calls : nil
    }

    /// - Parameters:
    ///   - mark: `<｜DSML｜` or `</｜DSML｜` as written.
    ///   - header: what follows it, up to and with `>`.
    ///   - attributes: the part of it behind the element's name and before `>` or `/>`.
    init?(
        _ element: Element, mark: [UInt8], isClosing: Bool, header: [UInt8], attributes: ArraySlice<UInt8>
    ) {
        self.init(element, visible: header)
        self.isClosing = isClosing
        literal = mark + header
        guard !isClosing, element != .calls else { return }
        var text = attributes.withoutBlanks
        if text.last == UInt8(ascii: "/") {
            isSelfClosing = true
            text.removeLast()
        }
        if element == .parameter {
            let (rest, kind) = Self.splitKind(text)
            text = rest
            isText = kind.map { !$0.elementsEqual("false".utf8) } ?? true
        }
        guard let name = Self.value(of: "name", in: text), !name.isEmpty else { return nil }
        self.name = name
    }

    /// Splits ` string="…"` off the end: a name may hold quotes, as the models' own encoder does not escape them.
    private static func splitKind(
        _ text: ArraySlice<UInt8>
    ) -> (rest: ArraySlice<UInt8>, kind: ArraySlice<UInt8>?) {
        let key = Array("string=\"".utf8)
        let bytes = JinjaString(Array(text))
        if text.starts(with: key) {
            let value = text.dropFirst(key.count).prefix { $0 != UInt8(ascii: "\"") }
            return (text[value.endIndex...].dropFirst(), value)
        }
        guard let start = bytes.findLast(key), text.last == UInt8(ascii: "\"") else { return (text, nil) }
        let value = text.dropFirst(start + key.count)
        let rest = text.prefix(start)
        guard value.count > 0, rest.last?.isBlank ?? false else { return (text, nil) }
        return (rest.withoutBlanks, value.dropLast())
    }

    /// The value of the only attribute left.
    private static func value(of key: String, in text: ArraySlice<UInt8>) -> [UInt8]? {
        let text = text.withoutBlanks
        guard text.starts(with: key.utf8), text.last == UInt8(ascii: "\"") else { return nil }
        let rest = text.dropFirst(key.utf8.count).withoutBlanks
        guard rest.first == UInt8(ascii: "=") else { return nil }
        let quoted = rest.dropFirst().withoutBlanks
        guard quoted.first == UInt8(ascii: "\""), quoted.count >= 2 else { return nil }
        return Array(quoted.dropFirst().dropLast())
    }
}
