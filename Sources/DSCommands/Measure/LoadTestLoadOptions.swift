import ArgumentParser
import DSLoadTest
import DSSupport

extension Arrival: ExpressibleByArgument {}

/// How many requests, and when.
struct LoadTestLoadOptions: ParsableArguments {
    private static let defaultTimeout = 600.0

    @Option(
        name: [.long, .customLong("max-concurrency")],
        help: "Clients that wait for their answers; several numbers make several runs. (default: 1)")
    var concurrency: Sizes?
    @Option(help: "Seconds in which the clients of --concurrency begin, one after the other; without it all at once.")
    var rampUp: Double?
    @Option(
        name: [.long, .customLong("request-rate")],
        help: "Requests that arrive per second; several numbers make several runs.")
    var rate: Rates?
    @Option(help: "Gaps between arrivals: poisson or constant.")
    var arrival = Arrival.poisson
    @Option(name: [.long, .customLong("num-prompts")], help: "Requests of each run. (default: 100 without --duration)")
    var numRequests: Int?
    @Option(help: "Seconds after which a run starts no more requests.")
    var duration: Double?
    @Option(help: "Requests before the first run that count in nothing.")
    var warmup = 0
    @Option(help: "Seconds that a request may take; longer ones have failed.")
    var timeout = Self.defaultTimeout
    @Option(help: "Repeats the prompts and arrivals of a test that reported it. (default: drawn for each test)")
    var seed: UInt64?

    /// Short enough to be copied by hand. Tests that drew the same one would measure a prefix cache.
    static func drawnSeed() -> UInt64 { UInt64(UInt32.random(in: .min ... .max)) }

    /// Whether anything but `--concurrency` is there.
    var isMoreThanLevels: Bool {
        rate != nil || arrival != .poisson || numRequests != nil || duration != nil || rampUp != nil || warmup != 0
            || timeout != Self.defaultTimeout || seed != nil
    }

    var levels: [Int] { concurrency?.values ?? [1] }

    var loads: [Load] {
        rate.map { $0.values.map { .open(rate: $0, arrival: arrival) } }
            ?? levels.map { .closed(concurrency: $0, rampUp: $0 > 1 ? rampUp ?? 0 : 0) }
    }

    var limit: RunLimit { RunLimit(requests: numRequests ?? (duration == nil ? 100 : nil), seconds: duration) }

    func check() throws {
        if let rate, rate.values.contains(.infinity) {
            throw ValidationError(
                "--rate: expected a number of requests per second, found inf; leave it out: --concurrency N keeps N "
                    + "requests under way, which is all of them at once where N is --num-requests")
        }
        if concurrency != nil, rate != nil {
            throw ValidationError("--rate: expected without --concurrency: a loop is open or closed")
        }
        if rampUp != nil, rate != nil {
            throw ValidationError(
                "--ramp-up: expected without --rate: requests that arrive at a rate do not begin together")
        }
        if let rampUp, let duration, rampUp >= duration {
            throw ValidationError("--ramp-up: expected less than --duration, \(duration) s, found \(rampUp)")
        }
        for level in levels { try Limits.check(level, 1...Limits.sequences, "--concurrency") }
        try Limits.check(numRequests, 1...(1 << 24), "--num-requests")
        try Limits.check(warmup, 0...(1 << 24), "--warmup")
        for (option, seconds) in [("--duration", duration), ("--timeout", timeout), ("--ramp-up", rampUp)] {
            guard let seconds, !(seconds > 0 && seconds < 1e7) else { continue }
            throw ValidationError("\(option): expected seconds above 0 and below ten million, found \(seconds)")
        }
    }

    func settings(seed: UInt64) -> [LoadReport.Setting] {
        [
            .init("num_requests", limit.requests.map { .integer(Int64($0)) } ?? .null),
            .init("duration", duration.map { .number($0) } ?? .null), .init("warmup", .integer(Int64(warmup))),
            .init("timeout", .number(timeout)), .init("seed", .text(String(seed))),
        ]
    }
}

/// A comma-separated list of numbers above 0. `inf`, vLLM's word for all at once, is one, so that its refusal can name another
/// option.
struct Rates: ExpressibleByArgument {
    let values: [Double]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Double($0) }.filter { $0 > 0 && ($0 <= 1e6 || $0 == .infinity) }
        guard values.count == parts.count, !values.isEmpty else { return nil }
    }
}
