/// Settings from environment variables: `DEEPSEEK_<OPTION>`, then `MODEL_PATH` and `PORT`, then `DS_CONFIG` (a JSON object).
struct EnvironmentSettings {
    let table: OptionTable
    let environment: [String: String]

    private(set) var settings: [Setting] = []
    /// What the user should know about variables that set nothing.
    private(set) var notes: [String] = []

    private static let otherNames = [("MODEL_PATH", "model-dir"), ("PORT", "port")]

    init(table: OptionTable, environment: [String: String]) throws(SettingError) {
        self.table = table
        self.environment = environment
        let reader = SettingReader(table: table)
        for option in table.settable {
            try add(option.environmentName, option, reader)
        }
        for (variable, name) in Self.otherNames {
            guard let option = table[name], !isSet(name) else { continue }
            try add(variable, option, reader)
        }
        if let json = environment["DS_CONFIG"], !json.isEmpty { try addObject(json, reader) }
        noteUnknownNames()
    }

    private func isSet(_ name: String) -> Bool { settings.contains { $0.option == name } }

    private mutating func add(
        _ variable: String, _ option: OptionTable.Option, _ reader: SettingReader
    ) throws(SettingError) {
        // An empty variable is how scripts unset one.
        guard let text = environment[variable], !text.isEmpty else { return }
        if Self.isServiceLink(variable, text) {
            notes.append(
                "\(variable)=\(text) is Kubernetes' link to a service named 'deepseek', not a setting: ignored")
            return
        }
        let origin = Setting.Origin.environment(variable)
        let value: Setting.Value =
            if !option.takesValue {
                .flag(try reader.boolean(text, of: option, origin))
            } else if option.isRepeating {
                .texts(text.split(separator: ",").map { String($0.trimmingSpaces) })
            } else {
                .texts([text])
            }
        settings.append(Setting(option: option.name, value: value, origin: origin))
    }

    /// `DS_CONFIG`: an object of options, and two switches of graphics processors' engines that people set with it.
    private mutating func addObject(_ json: String, _ reader: SettingReader) throws(SettingError) {
        let origin = Setting.Origin.environment("DS_CONFIG")
        var notes: [String] = []
        let found = try reader.settings(yaml: json, name: "DS_CONFIG") { key, value in
            switch (key, value) {
            case ("kernel_fusion", "false"):
                [Setting(option: "optimize-level", value: .texts(["1"]), origin: origin)]
            case ("kernel_fusion", "true"): []
            case ("tensor_core", "true"), ("tensor_core", "false"):
                {
                    notes.append("DS_CONFIG: 'tensor_core' changes nothing here: processors have no tensor cores")
                    return []
                }()
            default: nil
            }
        } origin: { _ in
            origin
        }
        self.notes += notes
        settings += found.filter { !isSet($0.option) }
    }

    /// A misspelt variable is named; other programs' are not ours to judge.
    private mutating func noteUnknownNames() {
        let known = Dictionary(grouping: table.settable, by: \.environmentName)
        for variable in environment.keys.sorted() where variable.hasPrefix("DEEPSEEK_") && known[variable] == nil {
            let name = variable.dropFirst("DEEPSEEK_".count).replacing("_", with: "-").lowercased()
            guard !OptionTable.commandLineOnly.contains(name) else { continue }
            if let option = table[name] {
                notes.append("\(variable) sets nothing; the variable is \(option.environmentName)")
                continue
            }
            if let hint = PeersOptions.hint(for: name) {
                notes.append("\(variable) sets nothing; on this server: \(hint)")
                continue
            }
            guard let near = table.nearest(to: name) else { continue }
            notes.append("\(variable) sets nothing; did you mean \(table[near]?.environmentName ?? near)?")
        }
    }

    /// In a cluster with a service named `deepseek`, pods get `DEEPSEEK_PORT=tcp://10.0.0.1:80`.
    private static func isServiceLink(_ variable: String, _ text: String) -> Bool {
        variable == "DEEPSEEK_PORT" && (text.hasPrefix("tcp://") || text.hasPrefix("udp://"))
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
