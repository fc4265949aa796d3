import ArgumentParser
import DSEngine
import DSSupport

/// `deepseek batching`: what `DynamicBatcher` is worth for a model that is no language model.
struct BatchingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batching",
        abstract: "Measure single requests with and without dynamic batching.",
        discussion: """
            Clients send one row at a time, each after the answer to its last, to a feed-forward network in Float32. Without \
            batching every request is computed alone.
            """)

    @Option(help: "Clients that send at the same time.")
    var clients = 32
    @Option(help: "Requests of all clients together.")
    var requests = 2000
    @Option(help: "Width of the network.")
    var width = 1024
    @Option(help: "Layers of the network.")
    var layers = 4
    @Option(help: "The largest batch.")
    var maxBatchSize = 32
    @Option(help: "Milliseconds that the oldest request waits for others.")
    var maxQueueDelayMs = 2
    @Option(name: [.short, .long], help: "Threads that compute (default: one per usable processor).")
    var threads: Int?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try Limits.check(clients, 1...4096, "--clients")
        try Limits.check(requests, 1...Limits.repetitions, "--requests")
        try Limits.check(width, 1...16_384, "--width")
        try Limits.check(layers, 1...64, "--layers")
        try Limits.check(maxBatchSize, 1...4096, "--max-batch-size")
        try Limits.check(maxQueueDelayMs, 0...60_000, "--max-queue-delay-ms")
        try Limits.check(threads, 1...Limits.threads, "--threads")
        let model = try FeedForward(width: width, layers: layers, threads: threads)
        let alone = try await measure(model, BatchingPolicy(maxBatchSize: 1))
        let batched = try await measure(
            model,
            BatchingPolicy(maxBatchSize: maxBatchSize, maxQueueDelay: .milliseconds(maxQueueDelayMs)))
        print(json ? report(alone, batched).serializedString(.pretty) : table(alone, batched))
    }

    private struct Measured {
        let seconds: Double
        let meanBatch: Double
        let rate: Double
    }

    private func measure(_ model: FeedForward, _ policy: BatchingPolicy) async throws -> Measured {
        let batcher = try DynamicBatcher<[Float], [Float]>(policy: policy) { batch in
            model.compute(batch).map { .success($0) }
        }
        let row = (0..<model.width).map { Float($0 % 7) / 7 }
        // Pages and threads are there before the clock runs.
        _ = try await batcher.add(row)
        let warm = batcher.statistics
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                let count = requests / clients + (client < requests % clients ? 1 : 0)
                group.addTask { for _ in 0..<count { _ = try await batcher.add(row) } }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let statistics = batcher.statistics
        return Measured(
            seconds: seconds,
            meanBatch: Double(statistics.rows - warm.rows) / Double(statistics.batches - warm.batches),
            rate: Double(requests) / seconds)
    }

    private func table(_ alone: Measured, _ batched: Measured) -> String {
        var table = TextTable([
            ("dynamic batching", .left), ("requests/s", .right), ("mean batch", .right), ("seconds", .right),
        ])
        for (name, measured) in [("off", alone), ("on", batched)] {
            table.add([
                name, Units.decimal(measured.rate, 1), Units.decimal(measured.meanBatch, 1),
                Units.decimal(measured.seconds, 2),
            ])
        }
        table.add(["on / off", Units.decimal(batched.rate / alone.rate, 2), "", ""])
        return table.text
    }

    private func report(_ alone: Measured, _ batched: Measured) -> JSONValue {
        func object(_ measured: Measured) -> JSONValue {
            [
                "requests_per_second": .number(measured.rate), "mean_batch": .number(measured.meanBatch),
                "seconds": .number(measured.seconds),
            ]
        }
        return [
            "clients": .integer(Int64(clients)), "requests": .integer(Int64(requests)),
            "width": .integer(Int64(width)), "layers": .integer(Int64(layers)), "off": object(alone),
            "on": object(batched), "ratio": .number(batched.rate / alone.rate),
        ]
    }
}
