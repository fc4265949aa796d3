package import DSEngine
package import DSSupport

/// Turns the deltas of one answer into the events of a message stream: blocks that start, grow and stop. A pure value.
package struct MessageEvents {
    package typealias Event = (name: String, data: JSONValue)

    private enum Block: Equatable { case thinking, text, call(Int) }

    private let objects: MessageObjects
    /// The blocks that have not stopped, with their indices. A call stays open while text stands in its middle.
    private var open: [(block: Block, index: Int)] = []
    private var count = 0
    private var events: [Event] = []
    /// Arguments that are no object so far: they cannot be passed on as they are.
    private var held: [Int: String] = [:]
    private var hasArguments: Set<Int> = []
    private(set) package var calledTools = false

    package init(_ objects: MessageObjects) { self.objects = objects }

    package static func start(_ objects: MessageObjects, promptTokens: Int) -> [Event] {
        let message = objects.message(content: [], stop: nil, usage: TokenUsage(promptTokens: promptTokens))
        return [event("message_start", [("message", message)]), ping]
    }

    /// Keeps a connection alive while nothing else is to be said.
    package static var ping: Event { event("ping", []) }

    package mutating func push(_ delta: GenerationDelta) -> [Event] {
        if !delta.reasoning.isEmpty {
            start(.thinking)
            if objects.showsThinking { grow(.thinking, "thinking_delta", "thinking", delta.reasoning) }
        }
        if !delta.content.isEmpty {
            start(.text)
            grow(.text, "text_delta", "text", delta.content)
        }
        for call in delta.toolCalls where !objects.callsOneTool || call.index == 0 { add(call) }
        return take()
    }

    package mutating func finish(_ result: GenerationResult, maximumTokens: Int?) -> [Event] {
        for (block, _) in open { stop(block) }
        let stop = AnthropicStop(result, calledTools: calledTools, maximumTokens: maximumTokens)
        events.append(
            Self.event("message_delta", [("delta", .object(stop.json)), ("usage", result.usage.anthropicJSON)]))
        events.append(Self.event("message_stop", []))
        return take()
    }

    private mutating func take() -> [Event] {
        defer { events = [] }
        return events
    }

    private mutating func add(_ call: ToolCallDelta) {
        if let name = call.name {
            calledTools = true
            for case (.call(let before), _) in open { stop(.call(before)) }
            start(
                .call(call.index),
                ["type": "tool_use", "id": .text(objects.callID(call.index)), "name": .text(name), "input": [:]])
        }
        guard !call.arguments.isEmpty else { return }
        if hasArguments.contains(call.index) || (held[call.index] == nil && call.arguments.first == "{") {
            hasArguments.insert(call.index)
            grow(.call(call.index), "input_json_delta", "partial_json", call.arguments)
        } else {
            held[call.index, default: ""] += call.arguments
        }
    }

    private mutating func start(_ block: Block) {
        guard !open.contains(where: { $0.block == block }) else { return }
        let body: JSONValue =
            block == .thinking
            ? ["type": "thinking", "thinking": "", "signature": ""] : ["type": "text", "text": ""]
        start(block, body)
    }

    private mutating func start(_ block: Block, _ body: JSONValue) {
        for other in [Block.thinking, .text] where other != block { stop(other) }
        open.append((block, count))
        events.append(
            Self.event("content_block_start", [("index", .integer(Int64(count))), ("content_block", body)]))
        count += 1
    }

    private mutating func grow(_ block: Block, _ type: String, _ key: String, _ text: String) {
        grow(block, ["type": .text(type), key: .text(text)])
    }

    private mutating func grow(_ block: Block, _ delta: JSONValue) {
        guard let index = open.first(where: { $0.block == block })?.index else { return }
        events.append(
            Self.event("content_block_delta", [("index", .integer(Int64(index))), ("delta", delta)]))
    }

    private mutating func stop(_ block: Block) {
        guard let position = open.firstIndex(where: { $0.block == block }) else { return }
        switch block {
        case .thinking:
            grow(block, ["type": "signature_delta", "signature": objects.signature])
        case .call(let call):
            if let text = held.removeValue(forKey: call) {
                let input = MessageObjects.input(text).serializedString(.python)
                grow(block, "input_json_delta", "partial_json", input)
            }
        case .text: break
        }
        let index = open.remove(at: position).index
        events.append(Self.event("content_block_stop", [("index", .integer(Int64(index)))]))
    }

    private static func event(_ name: String, _ members: [(String, JSONValue)]) -> Event {
        var object = JSONObject()
        object["type"] = .text(name)
        for (key, value) in members { object[key] = value }
        return (name, .object(object))
    }
}
