package import ArgumentParser
import Foundation

/// What the command line, the environment and a file say together, as one list of arguments.
///
/// The first that sets an option wins: command line, environment, file. What a lower one sets is put before the command
/// line's own arguments, so that one parser checks all of it and no option can be forgotten.
package struct EffectiveConfiguration {
    package let table: OptionTable
    /// The arguments to parse.
    package let arguments: [String]
    /// Who set what; options that nobody set are absent.
    package let settings: [String: Setting]
    /// An option on the command line that other servers have, and what it is called here.
    package let peersOption: (argument: String, hint: String)?
    /// What the user should know.
    package let notes: [String]

    package init(
        command: any ParsableCommand.Type, arguments: [String], environment: [String: String],
        readFile: (String) throws -> String = { try String(contentsOfFile: $0, encoding: .utf8) }
    ) throws {
        table = try OptionTable(of: command)
        let given = CommandLineScan(arguments, table: table)
        peersOption = given.peersOption
        var layers = [given.settings]
        let variables = try EnvironmentSettings(table: table, environment: environment)
        notes = variables.notes
        layers.append(variables.settings)
        if let path = given.value(of: "config") ?? environment["DEEPSEEK_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
            layers.append(try Self.file(path, table, readFile))
        }
        var settings: [String: Setting] = [:]
        for layer in layers {
            for setting in layer where settings[setting.option] == nil { settings[setting.option] = setting }
        }
        self.settings = settings
        let lower = table.options.flatMap { option -> [String] in
            guard let setting = settings[option.name], setting.origin != .commandLine else { return [] }
            return setting.arguments(for: option)
        }
        self.arguments = lower + arguments
    }

    private static func file(
        _ path: String, _ table: OptionTable, _ readFile: (String) throws -> String
    ) throws(SettingError) -> [Setting] {
        let text: String
        do {
            text = try readFile(ModelPath.expanded(path))
        } catch {
            throw SettingError("--config \(path): expected a readable file, found: \(error.localizedDescription)")
        }
        return try SettingReader(table: table).settings(yaml: text, name: path) { .file(path: path, line: $0) }
    }

    /// `message` with the places that set the options which it names, where that was not the command line.
    package func located(_ message: String) -> String {
        let places = table.options.compactMap { option -> String? in
            guard let setting = settings[option.name], setting.origin != .commandLine,
                message.contains("--\(option.name)")
            else { return nil }
            return "--\(option.name) is set by \(setting.origin)"
        }
        return ([message] + places).joined(separator: "\n")
    }
}
