import DSKernels
import DSSupport
import Foundation

/// What the engine finds on this machine.
enum MachineReport {
    static func findings() -> [Finding] { [processor, threads, kernels, memory] + graphics }

    private static var processor: Finding {
        let name = field("model name", of: "/proc/cpuinfo") ?? "unknown"
        let features = KernelSet.features
        let list = features.isEmpty ? "no vector extensions that kernels use" : features.joined(separator: " ")
        let isSlow = !features.contains("avx512_vnni") && !features.contains("dotprod")
        return Finding(
            name: "processor", state: .fine, text: "\(name): \(list)",
            advice: isSlow ? "quantised models run fastest with AVX-512 VNNI or Arm dot products" : nil)
    }

    private static var threads: Finding {
        let usable = Processors.usable
        let total = ProcessInfo.processInfo.processorCount
        return Finding(
            name: "threads", state: usable < total ? .limited : .fine, text: "\(usable) of \(total) processors usable",
            advice: usable < total ? "an affinity mask or a cgroup quota holds the others back" : nil)
    }

    private static var kernels: Finding {
        do {
            let selected = try KernelSet.selected()
            let all = KernelSet.available.map(\.rawValue).joined(separator: ", ")
            return Finding(
                name: "kernels", state: selected.tier == .reference ? .limited : .fine,
                text: "\(selected.tier.rawValue) (available: \(all))",
                advice: selected.tier == .reference ? "plain C kernels are correct and slow" : nil)
        } catch {
            return Finding(
                name: "kernels", state: .broken, text: "\(error)", advice: "unset or correct DS_KERNEL_TIER")
        }
    }

    private static var memory: Finding {
        guard let total = SystemMemory.total, let available = SystemMemory.available else {
            return Finding(name: "memory", state: .limited, text: "unknown on this system", advice: nil)
        }
        return Finding(
            name: "memory", state: .fine, text: "\(Units.bytes(available)) of \(Units.bytes(total)) available",
            advice: nil)
    }

    /// Display controllers on the PCI bus; this build computes on processors.
    private static var graphics: [Finding] {
        let root = "/sys/bus/pci/devices"
        let devices = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let vendors = ["0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"]
        let found = devices.sorted().compactMap { device -> Finding? in
            // Class 0x03: display controllers; 0x12: processing accelerators.
            guard let kind = text("\(root)/\(device)/class"), kind.hasPrefix("0x03") || kind.hasPrefix("0x12"),
                let vendor = text("\(root)/\(device)/vendor"), let name = vendors[vendor]
            else { return nil }
            return Finding(
                name: "gpu", state: .limited, text: "\(name) at \(device): present, not used",
                advice: "this build computes on processors only")
        }
        return found.isEmpty ? [Finding(name: "gpu", state: .fine, text: "none; not needed", advice: nil)] : found
    }

    private static func text(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func field(_ name: String, of path: String) -> String? {
        let line = text(path)?.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }
}
