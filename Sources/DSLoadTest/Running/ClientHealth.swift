#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether the client itself was in the way: how late a task of it woke up that did nothing but sleep, and the processor
/// time that its process took.
package struct ClientHealth: Sendable {
    /// Seconds by which the sleeper overslept.
    package let lateness: Distribution
    package let processorSeconds: Double
    package let seconds: Double

    private static let interval = 0.01

    /// Runs `body` and watches meanwhile.
    package static func watching<Result: Sendable>(
        _ body: @Sendable () async -> Result
    ) async -> (Result, ClientHealth) {
        let stopwatch = Stopwatch()
        let before = processorSeconds
        return await withTaskGroup(of: [Double].self) { group in
            group.addTask {
                var lateness: [Double] = []
                while !Task.isCancelled {
                    let due = stopwatch.seconds + interval
                    guard (try? await stopwatch.sleep(until: due)) != nil else { break }
                    lateness.append(stopwatch.seconds - due)
                }
                return lateness
            }
            let result = await body()
            group.cancelAll()
            let lateness = await group.next() ?? []
            return (
                result,
                ClientHealth(
                    lateness: Distribution(lateness), processorSeconds: processorSeconds - before,
                    seconds: stopwatch.seconds)
            )
        }
    }

    /// Of this process, in user and kernel mode.
    private static var processorSeconds: Double {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }
}
