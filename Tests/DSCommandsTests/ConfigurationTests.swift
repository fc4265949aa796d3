import ArgumentParser
import DSCommands
import Testing
import Yams

@Suite struct ConfigurationTests {
    private func configuration(
        _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:]
    ) throws -> EffectiveConfiguration {
        try EffectiveConfiguration(
            command: ServerCommand.self, arguments: (file == nil ? [] : ["--config", "server.yaml"]) + arguments,
            environment: environment, readFile: { _ in file ?? "" })
    }

    private func problem(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    /// A value that each option accepts, by its kind.
    private func sample(_ option: OptionTable.Option) -> String {
        guard option.takesValue else { return "true" }
        if let text = option.defaultValue, !option.isRepeating { return text }
        // A number, one of a few words, or any text.
        return ["3", "last", "x"].first { (try? ServerCommand.parse(["--\(option.name)=\($0)"])) != nil } ?? "x"
    }

    @Test("Options of other servers lead to those of this one")
    func peersOptions() throws {
        let table = try OptionTable(of: ServerCommand.self)
        for (name, hint) in PeersOptions.hints {
            #expect(table[name] == nil && table.option(negatedBy: name) == nil, "--\(name) is an option of this server")
            for option in hint.matches(of: /--([a-z0-9-]+)/) {
                #expect(table[String(option.1)] != nil || table.option(negatedBy: String(option.1)) != nil, "\(hint)")
            }
        }
        let negated = problem { _ = try configuration(file: "no-prefix-cache: true\n") }
        #expect(negated.contains("expected 'prefix-cache: false'"))
        let text = problem { _ = try configuration(file: "max_num_seqs: 8\n") }
        #expect(text.contains("'max_num_seqs'") && text.contains("on this server: --max-batch-size"))
    }

    @Test func everyOptionIsTakenFromTheFileAndTheEnvironment() throws {
        let table = try OptionTable(of: ServerCommand.self)
        #expect(table.settable.count > 30)
        for option in table.settable {
            let value = sample(option)
            for name in [option.name] + option.aliases {
                for key in [name, name.replacing("-", with: "_")] {
                    let text = "\(key): \(value == "true" ? "true" : "\"\(value)\"")\n"
                    let found = try configuration(file: text)
                    #expect(found.settings[option.name]?.origin == .file(path: "server.yaml", line: 1), "\(key)")
                    #expect(throws: Never.self, "\(text)") { try ServerCommand.parse(found.arguments) }
                }
            }
            let found = try configuration(environment: [option.environmentName: value])
            #expect(found.settings[option.name]?.origin == .environment(option.environmentName))
            #expect(throws: Never.self, "\(option.environmentName)") { try ServerCommand.parse(found.arguments) }
        }
    }

    @Test(arguments: [
        (["--port", "1"], ["DEEPSEEK_PORT": "2", "PORT": "3", "DS_CONFIG": "{\"port\": 4}"], "port: 5", "1"),
        (["--port=1"], ["PORT": "3"], "port: 5", "1"),
        ([], ["DEEPSEEK_PORT": "2", "PORT": "3", "DS_CONFIG": "{\"port\": 4}"], "port: 5", "2"),
        ([], ["PORT": "3", "DS_CONFIG": "{\"port\": 4}"], "port: 5", "3"),
        ([], ["PORT": "", "DS_CONFIG": "{\"port\": 4}"], "port: 5", "4"),
        ([], [:], "port: 5", "5"), ([], [:], "", "8080"), ([], [:], "port: null", "8080"),
        ([], ["DEEPSEEK_PORT": "tcp://10.0.0.1:80"], "port: 5", "5"),
    ])
    func theFirstSourceWins(arguments: [String], environment: [String: String], file: String, port: String) throws {
        let found = try configuration(arguments, file: file, environment: environment)
        let listing = ConfigurationListing(configuration: found).text
        #expect(try Yams.load(yaml: listing).map { "\(($0 as? [String: Any])?["port"] ?? "")" } == port)
        #expect(throws: Never.self) { try ServerCommand.parse(found.arguments) }
    }

    @Test func aHigherSourceReplacesLists() throws {
        let file = "api-key: [a, b]\nallowed-origins: ['*']\n"
        let found = try configuration(["--api-key", "c"], file: file)
        #expect(found.settings["api-key"]?.value == .texts(["c"]))
        #expect(!found.arguments.contains("--api-key=a"))
        #expect(found.settings["allowed-origins"]?.value == .texts(["*"]))
        let variable = try configuration(file: file, environment: ["DEEPSEEK_API_KEY": "d, e"])
        #expect(variable.settings["api-key"]?.value == .texts(["d", "e"]))
    }

    @Test func negatedFlagsAndShortOptionsCount() throws {
        let found = try configuration(["--no-page-in", "-t", "2"], file: "page-in: true\nthreads: 4\n")
        #expect(found.settings["page-in"]?.value == .flag(false) && found.settings["threads"]?.value == .texts(["2"]))
        let other = try configuration(["--no-enable-prefix-caching"], file: "prefix-cache: true\n")
        #expect(other.settings["prefix-cache"]?.value == .flag(false))
        let off = try configuration(file: "page-in: off\n")
        #expect(off.arguments.contains("--no-page-in"))
    }

    @Test(arguments: [
        ("prot: 1", ["server.yaml, line 1", "'prot'", "'port'"]),
        ("port: 1\nmax-batchsize: 4", ["line 2", "'max-batchsize'", "'max-batch-size'"]),
        ("port: [1]", ["'port'", "one value", "a list"]), ("port: {a: 1}", ["'port'", "a mapping"]),
        ("public-metrics: maybe", ["'public-metrics'", "true or false", "'maybe'"]),
        ("batch-size: 1\nmax_batch_size: 2", ["line 2", "again", "line 1"]),
        ("- port", ["a mapping of options", "a list"]), ("port: 1\nport: 2", ["port"]),
        ("config: other.yaml", ["command line"]),
        ("port: 'x", ["server.yaml", "YAML"]), ("api-key: [[a]]", ["'api-key'", "a list in it"]),
    ])
    func mistakesAreNamed(file: String, words: [String]) {
        let message = problem { _ = try configuration(file: file) }
        for word in words { #expect(message.contains(word), "\(word) in: \(message)") }
    }

    @Test func wrongValuesNameTheirPlace() throws {
        let found = try configuration(file: "host: h\nport: eighty\n")
        let message = problem { _ = try ServerCommand.parse(found.arguments) }
        let located = found.located("The value 'eighty' is invalid for '--port <port>'")
        #expect(!message.isEmpty && located.contains("server.yaml, line 2"))
    }

    @Test func listingsCanBeReadAgain() throws {
        let file =
            "host: \"::1\"\nserved-model-name: 'a: b # c'\napi-key: [secret-1]\nmax-batch-tokens: 64\npublic-metrics: yes\n"
        let found = try configuration(["--idle-timeout", "5"], file: file)
        let listing = ConfigurationListing(configuration: found).text
        #expect(!listing.contains("secret-1") && listing.contains("***"))
        // Nobody's key is three asterisks.
        let message = problem { _ = try configuration(file: listing) }
        #expect(message.contains("'api-key': expected a secret, found ***") && message.contains("server.yaml, line"))
        let again = try configuration(file: listing.replacing("***", with: "secret-1"))
        for name in ["host", "api-key", "served-model-name", "max-batch-tokens", "public-metrics", "idle-timeout"] {
            #expect(again.settings[name]?.value == found.settings[name]?.value, "\(name)")
        }
        #expect(listing.contains("# command line") && listing.contains("# server.yaml, line 2"))
    }

    @Test func switchesOfOtherEnginesAreUnderstood() throws {
        let json = #"{"batch_size": 16, "tensor_core": true, "kernel_fusion": false}"#
        let found = try configuration(environment: ["DS_CONFIG": json])
        #expect(found.settings["max-batch-size"]?.value == .texts(["16"]))
        #expect(found.settings["optimize-level"]?.value == .texts(["1"]))
        #expect(found.notes.contains { $0.contains("tensor_core") })
        #expect(
            problem { _ = try configuration(environment: ["DS_CONFIG": "{\"batchsize\": 1}"]) }.contains("batch-size"))
    }

    @Test func misspeltVariablesAreMentioned() throws {
        let found = try configuration(environment: ["DEEPSEEK_MAX_BATCHSIZE": "3", "DEEPSEEK_SERVICE_HOST": "x"])
        #expect(found.notes.contains { $0.contains("DEEPSEEK_MAX_BATCH_SIZE") })
    }
}
