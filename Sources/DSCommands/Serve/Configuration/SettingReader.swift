import Yams

/// Reads settings from YAML (JSON is a part of it): one mapping from options' names to values.
struct SettingReader {
    let table: OptionTable

    /// The words that YAML 1.1 and people use for yes and no.
    private static let booleans: [String: Bool] = [
        "true": true, "yes": true, "on": true, "1": true, "false": false, "no": false, "off": false, "0": false,
    ]

    /// - Parameters:
    ///   - foreign: keys of which something else makes settings; nil: none of its business.
    ///   - origin: what the settings of a line are said to come from.
    func settings(
        yaml: String, name: String, foreign: (_ key: String, _ value: String) -> [Setting]? = { _, _ in nil },
        origin: (_ line: Int) -> Setting.Origin
    ) throws(SettingError) -> [Setting] {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw SettingError("\(name): expected YAML, found: \(error)")
        }
        guard let root, root.null == nil else { return [] }
        guard case .mapping(let mapping) = root else {
            throw SettingError("\(name): expected a mapping of options to values, found \(Self.kind(of: root))")
        }
        var settings: [Setting] = []
        for (key, value) in mapping {
            let origin = origin(key.mark?.line ?? 1)
            guard let written = key.scalar?.string else {
                throw SettingError(origin, "expected the name of an option, found \(Self.kind(of: key))")
            }
            if let others = foreign(written, value.scalar?.string ?? "") {
                settings += others
                continue
            }
            let option = try option(written, origin)
            if let earlier = settings.first(where: { $0.option == option.name }) {
                throw SettingError(origin, "'\(written)' sets --\(option.name) again, after \(earlier.origin)")
            }
            // What `--print-config` writes for an option without a value.
            if value.null != nil { continue }
            let value = try self.value(value, of: option, origin)
            if option.isSecret, case .texts(let texts) = value, texts.contains(OptionTable.mask) {
                throw SettingError(
                    origin,
                    "'\(written)': expected a secret, found \(OptionTable.mask), which --print-config prints for one")
            }
            settings.append(Setting(option: option.name, value: value, origin: origin))
        }
        return settings
    }

    private func option(_ written: String, _ origin: Setting.Origin) throws(SettingError) -> OptionTable.Option {
        let name = written.replacing("_", with: "-")
        if OptionTable.commandLineOnly.contains(name) {
            throw SettingError(origin, "'\(written)' belongs on the command line")
        }
        if let option = table[name] { return option }
        if let positive = table.option(negatedBy: name) {
            throw SettingError(origin, "expected '\(positive.name): false', found '\(written)'")
        }
        let hint =
            PeersOptions.hint(for: name).map { "; on this server: \($0)" }
            ?? table.nearest(to: name).map { "; did you mean '\($0)'?" } ?? ""
        throw SettingError(origin, "expected the name of an option, found '\(written)'\(hint)")
    }

    private func value(
        _ node: Node, of option: OptionTable.Option, _ origin: Setting.Origin
    ) throws(SettingError) -> Setting.Value {
        switch node {
        case .scalar(let scalar):
            return option.takesValue
                ? .texts([scalar.string]) : .flag(try boolean(scalar.string, of: option, origin))
        case .sequence(let items) where option.isRepeating:
            var texts: [String] = []
            for item in items {
                guard let text = item.scalar?.string else {
                    throw SettingError(
                        origin, "'\(option.name)': expected a list of texts, found \(Self.kind(of: item)) in it")
                }
                texts.append(text)
            }
            return .texts(texts)
        default:
            let expected = option.takesValue ? "one value" : "true or false"
            throw SettingError(origin, "'\(option.name)': expected \(expected), found \(Self.kind(of: node))")
        }
    }

    /// The value of a flag.
    func boolean(
        _ text: String, of option: OptionTable.Option, _ origin: Setting.Origin
    ) throws(SettingError) -> Bool {
        guard let value = Self.booleans[text.lowercased()] else {
            throw SettingError(origin, "'\(option.name)': expected true or false, found '\(text)'")
        }
        return value
    }

    private static func kind(of node: Node) -> String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string)'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
