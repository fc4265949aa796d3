package import DSSupport

/// Spans in OTLP's JSON encoding: ids in hexadecimal digits, 64-bit integers as text.
package enum SpanJSON {
    package static func request(_ spans: [SpanRecord], from resource: TraceResource) -> JSONValue {
        [
            "resourceSpans": [
                [
                    "resource": ["attributes": attributes(resource.attributes)],
                    "scopeSpans": [["scope": ["name": "deepseek"], "spans": .array(spans.map(span))]],
                ]
            ]
        ]
    }

    private static func span(_ span: SpanRecord) -> JSONValue {
        var object = JSONObject([
            ("traceId", .text(span.context.traceID)), ("spanId", .text(span.context.spanID)),
        ])
        if let state = span.context.state { object.insert("traceState", .text(state)) }
        if let parent = span.parentID { object.insert("parentSpanId", .text(parent)) }
        object.insert("name", .text(span.name))
        object.insert("kind", .integer(Int64(span.kind.rawValue)))
        object.insert("startTimeUnixNano", time(span.start))
        object.insert("endTimeUnixNano", time(span.end))
        object.insert("attributes", attributes(span.attributes))
        if !span.events.isEmpty { object.insert("events", .array(span.events.map(event))) }
        if !span.links.isEmpty { object.insert("links", .array(span.links.map(link))) }
        var status = JSONObject([("code", .integer(Int64(span.status.rawValue)))])
        if !span.statusMessage.isEmpty { status.insert("message", .text(span.statusMessage)) }
        object.insert("status", .object(status))
        return .object(object)
    }

    private static func event(_ event: SpanRecord.Event) -> JSONValue {
        ["timeUnixNano": time(event.time), "name": .text(event.name), "attributes": attributes(event.attributes)]
    }

    private static func link(_ link: SpanRecord.Link) -> JSONValue {
        [
            "traceId": .text(link.context.traceID), "spanId": .text(link.context.spanID),
            "attributes": attributes(link.attributes),
        ]
    }

    private static func time(_ time: Timestamp) -> JSONValue { .text(String(time.nanosecondsSince1970)) }

    private static func attributes(_ attributes: [SpanRecord.Attribute]) -> JSONValue {
        .array(attributes.map { ["key": .text($0.name), "value": value($0.value)] })
    }

    private static func value(_ value: SpanRecord.Value) -> JSONValue {
        switch value {
        case .text(let text): ["stringValue": .text(text)]
        case .integer(let integer): ["intValue": .text(String(integer))]
        case .number(let number): ["doubleValue": .number(number)]
        case .truth(let truth): ["boolValue": .bool(truth)]
        case .list(let values): ["arrayValue": ["values": .array(values.map(Self.value))]]
        }
    }
}
