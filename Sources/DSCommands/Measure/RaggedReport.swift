import DSLoadTest
import DSSupport

/// What requests of different lengths cost in one batch, each with rows and cache of its own length, and what they cost
/// padded to the longest.
struct RaggedReport {
    /// One way to compute the requests.
    struct Form {
        var seconds: [Double] = []
        /// Rows computed, prompts and outputs.
        var rows = 0
        /// The most bytes of the key/value cache that were in use at once.
        var cacheBytes = 0
        /// Scratch of the largest step.
        var arenaBytes = 0

        var bytes: Int { cacheBytes + arenaBytes }
        var medianSeconds: Double { Distribution(seconds).median ?? 0 }
    }

    let model: String
    let lengths: MixedLengths
    var ragged = Form()
    var padded = Form()

    private func change(_ value: (Form) -> Double) -> Double { value(ragged) / value(padded) - 1 }

    var table: String {
        var table = TextTable([
            ("batch", .left), ("rows", .right), ("seconds", .right), ("useful tokens/s", .right), ("cache MiB", .right),
            ("scratch MiB", .right), ("memory MiB", .right),
        ])
        for (name, form) in [("ragged", ragged), ("padded", padded)] {
            table.add([
                name, "\(form.rows)", Units.decimal(form.medianSeconds, 3),
                Units.decimal(Double(lengths.tokens) / form.medianSeconds, 1), mebibytes(form.cacheBytes),
                mebibytes(form.arenaBytes), mebibytes(form.bytes),
            ])
        }
        let percents = [
            "", percent { Double($0.rows) }, percent(\.medianSeconds), percent { 1 / $0.medianSeconds },
            percent { Double($0.cacheBytes) }, percent { Double($0.arenaBytes) }, percent { Double($0.bytes) },
        ]
        table.add(["ragged against padded"] + percents.dropFirst())
        return table.text
    }

    var json: JSONValue {
        func object(_ form: Form) -> JSONValue {
            [
                "rows": .integer(Int64(form.rows)), "seconds": .number(form.medianSeconds),
                "tokens_per_second": .number(Double(lengths.tokens) / form.medianSeconds),
                "cache_bytes": .integer(Int64(form.cacheBytes)), "scratch_bytes": .integer(Int64(form.arenaBytes)),
            ]
        }
        return [
            "model": .text(model), "requests": .integer(Int64(lengths.requests.count)),
            "useful_tokens": .integer(Int64(lengths.tokens)), "ragged": object(ragged), "padded": object(padded),
            "memory_change": .number(change { Double($0.bytes) }), "time_change": .number(change(\.medianSeconds)),
        ]
    }

    private func percent(_ value: (Form) -> Double) -> String {
        let change = 100 * change(value)
        return (change > 0 ? "+" : "") + Units.decimal(change, 0) + " %"
    }

    private func mebibytes(_ bytes: Int) -> String { Units.decimal(Double(bytes) / 1_048_576, 1) }
}
