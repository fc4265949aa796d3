package import ArgumentParser
import Foundation

/// A command's options as its own help lists them, so that files and the environment know each one and none other.
package struct OptionTable {
    package struct Option: Sendable {
        /// The long name without dashes.
        package let name: String
        /// Further long names.
        package let aliases: [String]
        package let shortNames: [String]
        /// What turns a flag off, one name for each of its own; empty if nothing does.
        package let negations: [String]
        package let takesValue: Bool
        package let isRepeating: Bool
        /// As the help prints it; nil: none.
        package let defaultValue: String?

        /// The environment variable that sets it.
        package var environmentName: String {
            "DEEPSEEK_" + name.replacing("-", with: "_").uppercased()
        }

        /// Values of such options are not shown.
        package var isSecret: Bool {
            let words = Set(name.split(separator: "-").map(String.init))
            return !words.isDisjoint(with: ["key", "secret", "password", "token"]) && words.isDisjoint(with: ["file"])
        }
    }

    package let options: [Option]
    private let indexByName: [String: Int]

    /// Stands for a secret where configurations are printed.
    static let mask = "***"

    /// What only a command line can ask for.
    static let commandLineOnly: Set<String> = ["help", "version", "config", "print-config", "check-config"]

    package init(of command: any ParsableCommand.Type) throws {
        let help = try JSONDecoder().decode(Help.self, from: Data(command._dumpHelp().utf8))
        let names = Set(help.command.arguments.flatMap { ($0.names ?? []).map(\.name) })
        options = help.command.arguments.compactMap { Option($0, all: names) }
        var index: [String: Int] = [:]
        for (place, option) in options.enumerated() {
            for name in [option.name] + option.aliases { index[name] = place }
        }
        indexByName = index
    }

    /// The option of a long name or alias.
    package subscript(name: String) -> Option? { indexByName[name].map { options[$0] } }

    func option(short name: String) -> Option? { options.first { $0.shortNames.contains(name) } }

    /// The option whose negation is `name`.
    package func option(negatedBy name: String) -> Option? { options.first { $0.negations.contains(name) } }

    /// Those that files and the environment may set.
    package var settable: [Option] { options.filter { !Self.commandLineOnly.contains($0.name) } }

    /// The settable name that is most like `name`; nil if none is.
    func nearest(to name: String) -> String? {
        NearestName.of(name, among: settable.flatMap { [$0.name] + $0.aliases })
    }

    // What ArgumentParser writes for `--experimental-dump-help`.
    fileprivate struct Help: Decodable {
        struct Command: Decodable { let arguments: [Argument] }
        struct Argument: Decodable {
            struct Name: Decodable {
                let kind: String
                let name: String
            }
            let kind: String
            let names: [Name]?
            let isRepeating: Bool
            let defaultValue: String?
        }
        package let command: Command
    }
}

extension OptionTable.Option {
    /// - Parameter all: the names of all options: help lists a flag and its negation as two.
    fileprivate init?(_ argument: OptionTable.Help.Argument, all: Set<String>) {
        let names = argument.names ?? []
        let long = names.filter { $0.kind != "short" }.map(\.name)
        guard let name = long.first else { return nil }
        if name.hasPrefix("no-"), all.contains(String(name.dropFirst(3))) { return nil }
        self.init(
            name: name, aliases: Array(long.dropFirst()),
            shortNames: names.filter { $0.kind == "short" }.map(\.name),
            negations: long.map { "no-" + $0 }.filter(all.contains),
            takesValue: argument.kind == "option", isRepeating: argument.isRepeating,
            defaultValue: argument.defaultValue)
    }
}
