internal import Foundation

/// The control groups (Linux) that limit this process.
package enum ControlGroup {
    /// The folders of the groups on the way from this process's own to the root: those of version 2, and of version 1 those
    /// of `controller`.
    package static func ofThisProcess(controller: String) -> [(folder: String, isUnified: Bool)] {
        var groups: [(folder: String, isUnified: Bool)] = []
        for line in text("/proc/self/cgroup")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains(Substring(controller)) else { continue }
            var parts = ["/sys/fs/cgroup"] + (isUnified ? [] : [controller])
            let depth = parts.count
            parts += fields[2].split(separator: "/").map(String.init)
            while parts.count >= depth {
                groups.append((parts.joined(separator: "/"), isUnified))
                parts.removeLast()
            }
        }
        return groups
    }

    /// A small file of the system, without the space around its text; nil if it cannot be read.
    package static func text(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
