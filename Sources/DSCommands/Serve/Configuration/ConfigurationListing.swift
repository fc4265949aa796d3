/// The effective configuration as YAML that can be read again once its secrets are back in their places, with the origin of every value.
package struct ConfigurationListing {
    package let configuration: EffectiveConfiguration

    package init(configuration: EffectiveConfiguration) { self.configuration = configuration }

    package var text: String {
        let lines = configuration.table.settable.map { option -> (value: String, origin: String) in
            let setting = configuration.settings[option.name]
            let value = setting.map { self.value($0, of: option) } ?? defaultValue(of: option)
            return ("\(option.name): \(value)", setting.map { "\($0.origin)" } ?? "default")
        }
        let width = min(lines.map(\.value.count).max() ?? 0, 44)
        let body = lines.map { line in
            line.value + String(repeating: " ", count: max(0, width - line.value.count)) + "  # \(line.origin)"
        }
        let head = "# deepseek-server: effective configuration (command line > environment > file > default)"
        return ([head] + body).joined(separator: "\n") + "\n"
    }

    private func value(_ setting: Setting, of option: OptionTable.Option) -> String {
        switch setting.value {
        case .flag(let isOn): return isOn ? "true" : "false"
        case .texts(let texts):
            let shown = texts.map { option.isSecret ? "\"\(OptionTable.mask)\"" : Self.scalar($0) }
            // Of an option that takes one value the last counts.
            return option.isRepeating ? "[" + shown.joined(separator: ", ") + "]" : shown.last ?? "null"
        }
    }

    private func defaultValue(of option: OptionTable.Option) -> String {
        guard option.takesValue else { return option.defaultValue == "--\(option.name)" ? "true" : "false" }
        return option.defaultValue.map(Self.scalar) ?? "null"
    }

    /// Quoted unless it is plain without doubt.
    static func scalar(_ text: String) -> String {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
        let isWord =
            text.utf8.first.map { (97...122).contains($0 | 32) || $0 == UInt8(ascii: "/") } == true
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (97...122).contains(byte | 32) || "-_./".utf8.contains(byte)
            }
        let means: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        if isNumber || (isWord && !means.contains(text.lowercased())) { return text }
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
