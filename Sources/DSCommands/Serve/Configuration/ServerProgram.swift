import ArgumentParser
import DSServing
import Foundation
import Metrics

/// `deepseek-server` from its arguments to its exit code.
package enum ServerProgram {
    package static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let environment = ProcessInfo.processInfo.environment
        let configuration: EffectiveConfiguration
        do {
            // Help needs no settings, and must come where they are wrong, too.
            configuration = try EffectiveConfiguration(
                command: ServerCommand.self, arguments: arguments,
                environment: asksForHelp(arguments) ? [:] : environment)
        } catch {
            ServerCommand.exit(withError: ValidationError("\(error)"))
        }
        if let (argument, hint) = configuration.peersOption, !asksForHelp(arguments) {
            ServerCommand.exit(withError: ValidationError("Unknown option '\(argument)'. On this server: \(hint)"))
        }
        for note in configuration.notes { Terminal.note("note: \(note)") }
        do {
            let parsed = try ServerCommand.parseAsRoot(configuration.arguments)
            guard let command = parsed as? ServerCommand else {
                var other = parsed
                try other.run()
                return
            }
            try await run(command, configuration)
        } catch {
            exit(error, configuration)
        }
    }

    private static func run(_ command: ServerCommand, _ configuration: EffectiveConfiguration) async throws {
        let settings = try command.settings()
        if command.sources.printConfig {
            print(ConfigurationListing(configuration: configuration).text, terminator: "")
            return
        }
        // Before anything that counts exists: metrics stay with the factory that made them.
        MetricsSystem.bootstrap(settings.server.observability.collector)
        let server = try ServerRun(settings)
        if command.sources.checkConfig {
            print("the configuration is valid")
        } else {
            try await server.run()
        }
    }

    private static func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.contains { ["--help", "-h", "--version", "--experimental-dump-help"].contains($0) }
    }

    /// Ends as ArgumentParser would, with the places of settings that are not on the command line.
    private static func exit(_ error: any Error, _ configuration: EffectiveConfiguration) -> Never {
        let code = ServerCommand.exitCode(for: error)
        guard code == .validationFailure else { ServerCommand.exit(withError: error) }
        let message = ServerCommand.fullMessage(for: error)
        FileHandle.standardError.write(Data((configuration.located(message) + "\n").utf8))
        Foundation.exit(code.rawValue)
    }
}
