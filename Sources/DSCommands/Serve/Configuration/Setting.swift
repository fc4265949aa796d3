/// An option that somebody set, and where.
package struct Setting: Equatable, Sendable {
    package enum Origin: Equatable, Sendable, CustomStringConvertible {
        case file(path: String, line: Int)
        case environment(String)
        case commandLine

        package var description: String {
            switch self {
            case .file(let path, let line): "\(path), line \(line)"
            case .environment(let name): "environment: \(name)"
            case .commandLine: "command line"
            }
        }
    }

    /// What it is set to, as it was written.
    package enum Value: Equatable, Sendable {
        case texts([String])
        case flag(Bool)
    }

    /// The option's first long name.
    package let option: String
    package var value: Value
    package let origin: Origin

    /// The setting as arguments of a command line.
    func arguments(for option: OptionTable.Option) -> [String] {
        switch value {
        case .texts(let texts): texts.map { "--\(option.name)=\($0)" }
        case .flag(true): ["--\(option.name)"]
        case .flag(false): option.negations.prefix(1).map { "--\($0)" }
        }
    }
}

/// What is wrong with a file or variable of settings.
package struct SettingError: Error, CustomStringConvertible, Equatable {
    package let description: String

    init(_ origin: Setting.Origin, _ message: String) { description = "\(origin): \(message)" }
    init(_ description: String) { self.description = description }
}
