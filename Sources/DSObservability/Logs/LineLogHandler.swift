internal import DSSupport
package import Logging

/// Writes each message as one line.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let output: LogOutput

    package init(label: String, format: LogFormat, output: LogOutput) {
        self.label = label
        self.format = format
        self.output = output
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        let line =
            switch format {
            case .json: Self.json(event, label, all)
            case .text: Self.text(event, all)
            }
        output.write(Array(line.utf8))
    }

    // MARK: JSON

    /// These come first and are never a message's own.
    private static let fixed: Set<String> = ["time", "level", "logger", "message"]

    private static func json(_ event: LogEvent, _ label: String, _ metadata: Logger.Metadata) -> String {
        var object = JSONObject([
            ("time", .text(Timestamp.now.text)), ("level", .text(event.level.rawValue)), ("logger", .text(label)),
            ("message", .text(event.message.description)),
        ])
        for key in metadata.keys.sorted() {
            guard let value = metadata[key] else { continue }
            object.insert(JSONString(fixed.contains(key) ? "metadata." + key : key), Self.value(value))
        }
        return JSONValue.object(object).serializedString() + "\n"
    }

    /// Numbers and truth values stay what they are; everything else is text.
    private static func value(_ value: Logger.MetadataValue) -> JSONValue {
        switch value {
        case .string(let text): .text(text)
        case .stringConvertible(let number as any BinaryInteger):
            Int64(exactly: number).map(JSONValue.integer) ?? .text("\(number)")
        case .stringConvertible(let number as Double): number.isFinite ? .number(number) : .null
        case .stringConvertible(let truth as Bool): .bool(truth)
        case .stringConvertible(let other): .text(other.description)
        case .array(let elements): .array(elements.map(Self.value))
        case .dictionary(let members):
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { (JSONString($0.key), Self.value($0.value)) }))
        }
    }

    // MARK: Text

    private static func text(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var line = "\(Timestamp.now.text) \(event.level.rawValue): \(event.message)"
        for key in metadata.keys.sorted() {
            if let value = metadata[key] { line += " \(key)=\(value)" }
        }
        // One line per message, whatever it quotes.
        return line.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n") + "\n"
    }
}
