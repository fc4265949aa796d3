/// How much memory the machine, or the group of processes that this one belongs to, has.
package enum SystemMemory {
    /// Bytes that programs can get without paging, at most what the control group leaves; nil where the system does not say.
    package static var available: Int? {
        guard let machine = kilobytes("MemAvailable") else { return nil }
        return min(machine, groupRemainder ?? machine)
    }

    package static var total: Int? { kilobytes("MemTotal") }

    /// The least that the limits of the control groups on the way from this process to the root leave (version 2, or the
    /// memory controller of version 1), counting file pages that they could drop as free.
    private static var groupRemainder: Int? {
        var least: Int?
        for group in ControlGroup.ofThisProcess(controller: "memory") {
            if let rest = remainder(of: group.folder, isUnified: group.isUnified) { least = min(least ?? rest, rest) }
        }
        return least
    }

    /// What one group's limit leaves; nil without a limit.
    package static func remainder(of folder: String, isUnified: Bool) -> Int? {
        let (limitName, usedName) =
            isUnified ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
        // Version 2 says "max", version 1 a number beyond any machine.
        guard let limit = text("\(folder)/\(limitName)").flatMap({ Int($0) }), limit < 1 << 60,
            let used = text("\(folder)/\(usedName)").flatMap({ Int($0) })
        else { return nil }
        var files = 0
        for line in text("\(folder)/memory.stat")?.split(separator: "\n") ?? []
        where line.hasPrefix("inactive_file ") || line.hasPrefix("active_file ") {
            files += line.split(separator: " ").last.flatMap { Int($0) } ?? 0
        }
        return max(0, limit - used + files)
    }

    private static func kilobytes(_ name: String) -> Int? {
        let line = text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        let value = line?.split(separator: ":").last?.split(separator: " ").first
        return value.flatMap { Int($0) }.map { $0 * 1024 }
    }

    private static func text(_ path: String) -> String? { ControlGroup.text(path) }
}
