internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

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
        let lines = text("/proc/self/cgroup")?.split(separator: "\n") ?? []
        var least: Int?
        for line in lines {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("memory") else { continue }
            let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
            var parts = fields[2].split(separator: "/").map(String.init)
            while true {
                if let rest = remainder(of: ([root] + parts).joined(separator: "/"), isUnified: isUnified) {
                    least = min(least ?? rest, rest)
                }
                guard parts.popLast() != nil else { break }
            }
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

    private static func text(_ path: String) -> String? {
        (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Zeroed private memory that lives as long as this object, in huge pages where the system offers them.
@safe package final class AnonymousMemory: @unchecked Sendable {
    // SAFETY: the mapping never moves and is released only in deinit; users agree on who writes where.

    /// Aligned to a page.
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int

    /// - Parameter byteCount: at least one.
    package init(byteCount: Int) throws(SupportError) {
        precondition(byteCount > 0)
        let address = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw .lastSystemCall("allocate \(byteCount) bytes", path: "memory")
        }
        #if os(Linux)
            unsafe madvise(address, byteCount, MADV_HUGEPAGE)
        #endif
        unsafe base = unsafe address
        self.byteCount = byteCount
    }

    deinit { unsafe munmap(base, byteCount) }
}
