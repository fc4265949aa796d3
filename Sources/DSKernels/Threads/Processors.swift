internal import CDSKernels
internal import DSSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// How many processors this process may really use.
package enum Processors {
    /// The processors of the affinity mask, limited by the cgroup's quota (rounded up); at least 1.
    package static var usable: Int {
        let allowed = affinity.isEmpty ? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) : affinity.count
        guard let quota = cgroupQuota else { return allowed }
        return max(1, min(allowed, Int(quota.rounded(.up))))
    }

    /// Parses a cgroup-v2 `cpu.max` line: `"200000 100000"` is 2 processors, `"max 100000"` is no limit.
    package static func quota(cpuMax line: String) -> Double? {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let limit = Double(fields[0]), let period = Double(fields[1]), limit > 0, period > 0
        else { return nil }
        return limit / period
    }

    /// The smallest quota on the way from this process's cgroup (v2) to the root.
    private static var cgroupQuota: Double? {
        ControlGroup.ofThisProcess(controller: "cpu").compactMap { group in
            group.isUnified ? ControlGroup.text("\(group.folder)/cpu.max").flatMap { quota(cpuMax: $0) } : nil
        }.min()
    }

    /// The numbers of the processors in the calling thread's affinity mask; empty where the system does not tell.
    private static var affinity: [Int32] {
        var numbers = [Int32](repeating: 0, count: 1024)
        let count = unsafe ck_allowed_processors(&numbers, Int32(numbers.count))
        return Array(numbers.prefix(Int(count)))
    }

    /// Binds the calling thread to the usable processor number `index` (modulo their count). Failure is harmless.
    static func bindThread(toUsable index: Int) {
        let processors = affinity
        guard !processors.isEmpty else { return }
        _ = ck_bind_thread(processors[index % processors.count])
    }
}
