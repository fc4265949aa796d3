import DSLoadTest
import DSSupport

/// One measured test.
struct BenchResult {
    let model: String
    let prompt: Int
    let generate: Int
    let depth: Int
    let batch: Int
    let threads: Int
    /// Tokens per second of each run.
    let rates: [Double]
    /// What the machine allows at most; nil until it was measured.
    var limit: TestLimits.Limit?

    private var test: String { prompt > 0 ? "prefill" : "decode" }

    private var median: Double { Distribution(rates).median ?? 0 }

    var json: JSONValue {
        [
            "model": .text(model), "test": .text(test), "n_prompt": .integer(Int64(prompt)),
            "n_gen": .integer(Int64(generate)), "n_depth": .integer(Int64(depth)), "batch": .integer(Int64(batch)),
            "threads": .integer(Int64(threads)),
            "tokens_per_second": [
                "median": .number(median), "min": .number(rates.min() ?? 0), "max": .number(rates.max() ?? 0),
            ],
            "limit": limit.map { ["tokens_per_second": .number($0.rate), "by": .text($0.by)] } ?? .null,
            "fraction_of_limit": limit.map { .number(median / $0.rate) } ?? .null,
        ]
    }

    static func table(_ results: [BenchResult]) -> String {
        var table = TextTable([
            ("test", .left), ("tokens", .right), ("depth", .right), ("sequences", .right), ("threads", .right),
            ("tokens/s", .right), ("min", .right), ("max", .right), ("of limit", .right), ("by", .left),
        ])
        for result in results {
            table.add([
                result.test, "\(result.prompt + result.generate)", "\(result.depth)", "\(result.batch)",
                "\(result.threads)", Units.decimal(result.median, 2), Units.decimal(result.rates.min() ?? 0, 2),
                Units.decimal(result.rates.max() ?? 0, 2),
                result.limit.map { "\(Units.decimal(100 * result.median / $0.rate, 0)) %" } ?? "",
                result.limit?.by ?? "",
            ])
        }
        return table.text
    }
}
