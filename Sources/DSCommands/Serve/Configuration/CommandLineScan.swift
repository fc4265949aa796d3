/// Which options a command line sets. It only looks: what is wrong with the arguments is for the parser to say.
struct CommandLineScan {
    private(set) var settings: [Setting] = []
    /// The first option that other servers have and this one has not, and what it is called here.
    private(set) var peersOption: (argument: String, hint: String)?

    init(_ arguments: [String], table: OptionTable) {
        var rest = arguments[...]
        while let argument = rest.popFirst(), argument != "--" {
            guard let (option, text, isNegated) = Self.option(argument, table) else {
                if peersOption == nil { peersOption = Self.peersOption(argument) }
                continue
            }
            if !option.takesValue {
                add(option.name, .flag(!isNegated))
            } else if let value = text ?? rest.popFirst() {
                add(option.name, .texts([value]))
            }
        }
    }

    /// The text that an option was given last.
    func value(of name: String) -> String? {
        guard case .texts(let texts) = settings.first(where: { $0.option == name })?.value else { return nil }
        return texts.last
    }

    private mutating func add(_ name: String, _ value: Setting.Value) {
        guard let index = settings.firstIndex(where: { $0.option == name }) else {
            settings.append(Setting(option: name, value: value, origin: .commandLine))
            return
        }
        if case .texts(let new) = value, case .texts(let old) = settings[index].value {
            settings[index].value = .texts(old + new)
        } else {
            settings[index].value = value
        }
    }

    /// The option that an argument names, and the value behind its `=`.
    private static func option(
        _ argument: String, _ table: OptionTable
    ) -> (OptionTable.Option, text: String?, isNegated: Bool)? {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let text = parts.count == 2 ? parts[1] : nil
        if argument.hasPrefix("--") {
            let name = String(parts[0].dropFirst(2))
            if let option = table[name] { return (option, text, false) }
            return table.option(negatedBy: name).map { ($0, text, true) }
        }
        // No letters are joined: `-hf` is another server's, not `-h`.
        guard argument.hasPrefix("-"), let option = table.option(short: String(parts[0].dropFirst())) else {
            return nil
        }
        return (option, text, false)
    }

    private static func peersOption(_ argument: String) -> (argument: String, hint: String)? {
        guard argument.hasPrefix("-") else { return nil }
        let written = argument.prefix { $0 != "=" }
        return PeersOptions.hint(for: String(written.drop { $0 == "-" })).map { (String(written), $0) }
    }
}
