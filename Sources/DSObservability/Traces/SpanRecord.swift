/// A finished span: what is exported.
package struct SpanRecord: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case truth(Bool)
        case list([Value])
    }

    package struct Attribute: Sendable, Equatable {
        package let name: String
        package let value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    package struct Event: Sendable, Equatable {
        package let name: String
        package let time: Timestamp
        package let attributes: [Attribute]
    }

    package struct Link: Sendable, Equatable {
        package let context: TraceContext
        package let attributes: [Attribute]
    }

    /// OTLP's numbers.
    package enum Kind: Int, Sendable {
        case `internal` = 1
        case server, client, producer, consumer
    }

    package enum Status: Int, Sendable {
        case unset, ok, error
    }

    package var name: String
    package let kind: Kind
    package let context: TraceContext
    package let parentID: String?
    package let start: Timestamp
    package var end: Timestamp
    package var attributes: [Attribute] = []
    package var events: [Event] = []
    package var links: [Link] = []
    package var status = Status.unset
    package var statusMessage = ""

    package init(
        name: String, kind: Kind, context: TraceContext, parentID: String?, start: Timestamp, end: Timestamp
    ) {
        self.name = name
        self.kind = kind
        self.context = context
        self.parentID = parentID
        self.start = start
        self.end = end
    }
}

/// Who sends the spans.
package struct TraceResource: Sendable, Equatable {
    package var attributes: [SpanRecord.Attribute]

    package init(serviceName: String, version: String, attributes: [SpanRecord.Attribute] = []) {
        self.attributes =
            [.init("service.name", .text(serviceName)), .init("service.version", .text(version))] + attributes
    }
}
