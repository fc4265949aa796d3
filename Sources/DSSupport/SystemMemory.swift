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

    /// What the limit of the control group (version 2) leaves, counting file pages that it could drop as free.
    private static var groupRemainder: Int? {
        let root = "/sys/fs/cgroup/"
        guard let limit = text(root + "memory.max").flatMap({ Int($0) }),
            let used = text(root + "memory.current").flatMap({ Int($0) })
        else { return nil }
        let lines = text(root + "memory.stat")?.split(separator: "\n") ?? []
        let files = lines.first { $0.hasPrefix("inactive_file ") }?.split(separator: " ").last.flatMap { Int($0) } ?? 0
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
