import ArgumentParser
import DSKernels
import DSModels
import DSSupport
import DSTensor
import Foundation

/// `deepseek doctor`: what of this machine the engine can use, and what to do about the rest.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine and, if given, a model's files.",
        discussion: """
            Exits with 1 if something must be mended before models can run.

            EXAMPLES
              deepseek doctor
              deepseek doctor ~/models/DeepSeek-V2-Lite --hashes
            """)

    @OptionGroup var model: ModelArgument
    @Flag(help: "Print the SHA-256 of each of the model's files.")
    var hashes = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var findings = MachineReport.findings()
        findings += modelFindings()
        if json {
            Terminal.line(JSONValue.array(findings.map(\.json)).serializedString(.pretty))
        } else {
            for finding in findings { Terminal.line(finding.line) }
        }
        if findings.contains(where: { $0.state == .broken }) { throw ExitCode.failure }
    }

    private func modelFindings() -> [Finding] {
        var findings: [Finding] = []
        do {
            let loaded = try model.load()
            let summary = ModelSummary(loaded)
            let copies = try loaded.layoutBytes(KernelSet.selected())
            let context = min(4096, summary.configuration.maximumContext)
            let need = summary.memoryBytes(context: context, cacheType: .f16)
            let fits = SystemMemory.available.map { need < $0 } ?? true
            findings.append(
                Finding(
                    name: "model", state: fits ? .fine : .limited,
                    text:
                        "\(summary.name): \(summary.configuration.architecture), \(Units.bytes(need)) with \(context) tokens"
                        + (copies > 0 ? ", \(Units.bytes(copies)) more for copies in a faster layout" : ""),
                    advice: fits ? nil : "less memory is free: expect paging; choose a smaller or more quantised model")
            )
        } catch {
            findings.append(Finding(name: "model", state: .broken, text: "\(error)", advice: nil))
        }
        guard hashes, let path = model.model else { return findings }
        for file in FileHash.files(of: ModelPath.expanded(path)) {
            do {
                let digest = try FileHash.sha256(of: file)
                findings.append(Finding(name: "sha256", state: .fine, text: "\(digest)  \(file)", advice: nil))
            } catch {
                findings.append(Finding(name: "sha256", state: .broken, text: "\(file): \(error)", advice: nil))
            }
        }
        return findings
    }
}

/// One line of a diagnosis.
struct Finding {
    enum State: String { case fine, limited, broken }

    let name: String
    let state: State
    let text: String
    /// What to do.
    let advice: String?

    var line: String {
        let mark =
            switch state {
            case .fine: Terminal.styled("ok     ", .green)
            case .limited: Terminal.styled("limited", .yellow)
            case .broken: Terminal.styled("broken ", .red)
            }
        let padded = name + String(repeating: " ", count: max(0, 10 - name.count))
        return "\(mark)  \(padded)  \(text)" + (advice.map { "\n                     → \($0)" } ?? "")
    }

    var json: JSONValue {
        [
            "name": .text(name), "state": .text(state.rawValue), "text": .text(text),
            "advice": advice.map(JSONValue.text) ?? .null,
        ]
    }
}
