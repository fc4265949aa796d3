import ArgumentParser

/// Where settings come from. These are read before the others are (`EffectiveConfiguration`).
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: "A YAML file of options by their names (environment: DEEPSEEK_CONFIG).", completion: .file())
    var config: String?
    @Flag(help: "Print the effective configuration and where each value comes from; secrets are masked.")
    var printConfig = false
    @Flag(help: "Check the configuration and the files it names; serve nothing.")
    var checkConfig = false
}
