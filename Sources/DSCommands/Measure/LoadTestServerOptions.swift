import ArgumentParser
import DSLoadTest
import DSSupport
import Foundation

extension Endpoint: ExpressibleByArgument {}

/// Which server is asked, and how.
struct LoadTestServerOptions: ParsableArguments {
    private static let defaultURL = "http://127.0.0.1:8080"

    @Option(name: [.long, .customLong("base-url")], help: "The server's address, with or without /v1.")
    var url = Self.defaultURL
    @Option(help: "chat (/v1/chat/completions) or completions (/v1/completions).")
    var endpoint = Endpoint.chat
    @Option(help: "The model's name. (default: the one that the server lists)")
    var model: String?
    @Option(help: "Sent as a bearer token. (default: OPENAI_API_KEY, if it is set)")
    var apiKey: String?
    @Option(
        name: .customLong("header"), help: ArgumentHelp("A header, 'Name: value'; may be repeated.", valueName: "line"))
    var headers: [String] = []

    func target() throws -> Target {
        var target = try Target(url: url)
        target.apiKey = apiKey ?? Environment["OPENAI_API_KEY"]
        for header in headers {
            let parts = header.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !parts[0].contains(where: \.isWhitespace) else {
                throw ValidationError("--header: expected 'Name: value', found '\(header)'")
            }
            target.headers.append((String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)))
        }
        return target
    }

    func modelName(_ client: LoadClient) async throws -> String {
        if let model { return model }
        let models = try await client.models()
        guard let only = models.first, models.count == 1 else {
            let found = models.isEmpty ? "none" : models.joined(separator: ", ")
            throw ValidationError("--model: expected a name unless the server has one model, found \(found)")
        }
        return only
    }

    /// Whether a server is named, or anything for it.
    var isNamed: Bool {
        url != Self.defaultURL || endpoint != .chat || model != nil || apiKey != nil || !headers.isEmpty
    }

    var settings: [LoadReport.Setting] {
        [
            .init("endpoint", .text(endpoint.rawValue)),
            .init("headers", headers.isEmpty ? .null : .array(headers.map { .text(Self.name(of: $0)) })),
        ]
    }

    /// Values of headers may be secrets; reports travel.
    private static func name(of header: String) -> String { String(header.prefix { $0 != ":" }) }
}
