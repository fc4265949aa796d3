internal import CDSKernels
internal import DSSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// How many processors this process may really use, and which.
package enum Processors {
    /// The processors of the affinity mask, limited by the cgroup's quota (rounded up); at least 1.
    package static var usable: Int {
        let allowed = affinity.isEmpty ? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) : affinity.count
        guard let quota = cgroupQuota else { return allowed }
        return max(1, min(allowed, Int(quota.rounded(.up))))
    }

    /// The numbers of the processors in the calling thread's affinity mask, ascending; empty where the system does not tell.
    package static var affinity: [Int] { ProcessorSet.ofThisThread?.numbers ?? [] }

    /// Parses a cgroup-v2 `cpu.max` line: `"200000 100000"` is 2 processors, `"max 100000"` is no limit.
    package static func quota(cpuMax line: String) -> Double? {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2 else { return nil }
        return quota(limit: String(fields[0]), period: String(fields[1]))
    }

    /// The quota of one group: `cpu.max` of version 2; `cpu.cfs_quota_us` (-1 is no limit) over `cpu.cfs_period_us` of
    /// version 1.
    package static func quota(of folder: String, isUnified: Bool) -> Double? {
        if isUnified { return ControlGroup.text("\(folder)/cpu.max").flatMap { quota(cpuMax: $0) } }
        guard let limit = ControlGroup.text("\(folder)/cpu.cfs_quota_us"),
            let period = ControlGroup.text("\(folder)/cpu.cfs_period_us")
        else { return nil }
        return quota(limit: limit, period: period)
    }

    private static func quota(limit: String, period: String) -> Double? {
        guard let limit = Double(limit), let period = Double(period), limit.isFinite, limit > 0, period > 0
        else { return nil }
        return limit / period
    }

    /// The smallest quota on the way from this process's cgroup to the root.
    private static var cgroupQuota: Double? {
        ControlGroup.ofThisProcess(controller: "cpu").compactMap { quota(of: $0.folder, isUnified: $0.isUnified) }.min()
    }
}

/// Processors by number, as affinity masks have them.
struct ProcessorSet {
    static let limit = Int(CK_PROCESSOR_LIMIT)

    private var mask = ck_processor_set()

    private init() {}

    init(_ numbers: [Int]) {
        for number in numbers where (0..<Self.limit).contains(number) {
            unsafe ck_processor_set_insert(&mask, Int32(number))
        }
    }

    /// The calling thread's affinity mask; nil where the system does not tell.
    static var ofThisThread: ProcessorSet? {
        var set = ProcessorSet()
        return unsafe ck_allowed_processors(&set.mask) == 0 ? set : nil
    }

    var numbers: [Int] {
        var mask = mask
        return (0..<Self.limit).filter { unsafe ck_processor_set_contains(&mask, Int32($0)) }
    }

    /// Binds the calling thread. Failure is harmless: it runs where it ran.
    func bindThread() {
        var mask = mask
        _ = unsafe ck_bind_thread(&mask)
    }

    /// Calls `body` with the calling thread bound to these processors, and gives the thread its mask back.
    @inline(__always)
    func whileBound(_ body: () -> Void) {
        let before = Self.ofThisThread
        bindThread()
        body()
        before?.bindThread()
    }
}
