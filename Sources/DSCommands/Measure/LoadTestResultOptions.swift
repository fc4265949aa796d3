import ArgumentParser
import DSLoadTest
import DSSupport
import Foundation

/// What is made of the measurements.
struct LoadTestResultOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Limits in ms that good answers keep: ttft:2000 tpot:80 e2el:5000.", valueName: "name:ms"))
    var goodput: [String] = []
    @Flag(help: "Figures of the time between the first completion and the last start only.")
    var steadyState = false
    @Option(help: ArgumentHelp("Writes a page with plots.", valueName: "file.html"), completion: .file())
    var report: String?
    @Option(
        help: ArgumentHelp("Writes JSON; - is standard output, instead of the tables.", valueName: "file"),
        completion: .file())
    var json: String?
    @Flag(help: "Each request's own numbers, too, in the JSON.")
    var saveDetailed = false
    @Option(help: "What is measured, in reports. (default: the model's name)")
    var label: String?
    @Option(
        help: ArgumentHelp("JSON of another test: its figures and ratios beside this one's.", valueName: "file"),
        completion: .file())
    var compare: String?

    func check() throws {
        if let report { try OutputPath.check(report, option: "--report") }
        if let json, json != "-" { try OutputPath.check(json, option: "--json") }
        if saveDetailed, json == nil { throw ValidationError("--save-detailed: expected together with --json") }
    }

    /// Whether anything but `--json -` is there.
    var isAsked: Bool {
        report != nil || compare != nil || label != nil || !goodput.isEmpty || steadyState || saveDetailed
            || (json ?? "-") != "-"
    }

    func serviceLevel() throws -> ServiceLevel? {
        goodput.isEmpty ? nil : try ServiceLevel(parsing: goodput)
    }

    /// The file of `--compare`, parsed.
    func comparisonFile() throws -> JSONValue? {
        guard let compare else { return nil }
        guard let bytes = FileManager.default.contents(atPath: ModelPath.expanded(compare)) else {
            throw ValidationError("--compare: cannot read \(compare)")
        }
        do throws(JSONError) {
            return try JSONValue.parse(Array(bytes))
        } catch {
            throw LoadTestError.comparison(compare, error.description)
        }
    }

    func write(_ result: LoadReport, seed: UInt64, comparedWith other: JSONValue?) throws {
        let object = result.json(isDetailed: saveDetailed)
        let comparison = try other.map { try Comparison(object, with: $0, path: compare ?? "") }
        if json == "-" {
            Terminal.line(object.serializedString(.pretty))
        } else {
            Terminal.line(LoadTestTables.text(result, seed: seed, comparison: comparison))
        }
        if let json, json != "-" { try save(object.serializedString(.pretty) + "\n", to: json, option: "--json") }
        if let report { try save(ReportPage(result, comparison: comparison).markup, to: report, option: "--report") }
    }

    private func save(_ text: String, to path: String, option: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: OutputPath.resolved(path)), options: .atomic)
        } catch {
            throw ValidationError("\(option): cannot write \(path)")
        }
    }

    var settings: [LoadReport.Setting] {
        [
            .init("goodput", goodput.isEmpty ? .null : .text(goodput.joined(separator: " "))),
            .init("steady_state", .bool(steadyState)),
        ]
    }
}
