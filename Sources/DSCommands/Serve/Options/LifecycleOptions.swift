import ArgumentParser

/// How long the server waits for engines and for requests.
struct LifecycleOptions: ParsableArguments {
    @Option(help: "Seconds without a step after which /health reports an engine that has work.")
    var livenessTimeout = 120
    @Option(help: "Seconds after SIGTERM or SIGINT in which new requests are still taken while /ready says no.")
    var drainDelay = 0
    @Option(help: "Seconds that running requests then have to finish.")
    var shutdownTimeout = 25

    func validate() throws {
        try Limits.check(livenessTimeout, 1...86_400, "--liveness-timeout")
        try Limits.check(drainDelay, 0...86_400, "--drain-delay")
        try Limits.check(shutdownTimeout, 0...86_400, "--shutdown-timeout")
    }
}
