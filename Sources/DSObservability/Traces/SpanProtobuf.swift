/// Spans as `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest`. Field numbers are those of opentelemetry-proto 1.x.
package enum SpanProtobuf {
    package static func request(_ spans: [SpanRecord], from resource: TraceResource) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.field(1) { resourceSpans in
            resourceSpans.field(1) { write(resource.attributes, as: 1, to: &$0) }
            resourceSpans.field(2) { scopeSpans in
                scopeSpans.field(1) { $0.field(1, text: "deepseek") }
                for span in spans { scopeSpans.field(2) { write(span, to: &$0) } }
            }
        }
        return writer.bytes
    }

    private static func write(_ span: SpanRecord, to writer: inout ProtobufWriter) {
        writer.field(1, bytes: identifier(span.context.traceID))
        writer.field(2, bytes: identifier(span.context.spanID))
        if let state = span.context.state { writer.field(3, text: state) }
        if let parent = span.parentID { writer.field(4, bytes: identifier(parent)) }
        writer.field(5, text: span.name)
        writer.field(6, varint: UInt64(span.kind.rawValue))
        writer.field(7, fixed: span.start.nanosecondsSince1970)
        writer.field(8, fixed: span.end.nanosecondsSince1970)
        write(span.attributes, as: 9, to: &writer)
        for event in span.events {
            writer.field(11) { writer in
                writer.field(1, fixed: event.time.nanosecondsSince1970)
                writer.field(2, text: event.name)
                write(event.attributes, as: 3, to: &writer)
            }
        }
        for link in span.links {
            writer.field(13) { writer in
                writer.field(1, bytes: identifier(link.context.traceID))
                writer.field(2, bytes: identifier(link.context.spanID))
                write(link.attributes, as: 4, to: &writer)
            }
        }
        writer.field(15) { writer in
            if !span.statusMessage.isEmpty { writer.field(2, text: span.statusMessage) }
            writer.field(3, varint: UInt64(span.status.rawValue))
        }
    }

    private static func write(
        _ attributes: [SpanRecord.Attribute], as number: Int, to writer: inout ProtobufWriter
    ) {
        for attribute in attributes {
            writer.field(number) { writer in
                writer.field(1, text: attribute.name)
                writer.field(2) { write(attribute.value, to: &$0) }
            }
        }
    }

    private static func write(_ value: SpanRecord.Value, to writer: inout ProtobufWriter) {
        switch value {
        case .text(let text): writer.field(1, text: text)
        case .truth(let truth): writer.field(2, varint: truth ? 1 : 0)
        case .integer(let integer): writer.field(3, varint: UInt64(bitPattern: integer))
        case .number(let number): writer.field(4, fixed: number.bitPattern)
        case .list(let values):
            writer.field(5) { writer in
                for value in values { writer.field(1) { write(value, to: &$0) } }
            }
        }
    }

    /// The bytes of an id in hexadecimal digits.
    private static func identifier(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x61 + 10 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
