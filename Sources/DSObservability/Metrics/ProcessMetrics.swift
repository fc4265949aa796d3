internal import DSSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The standard `process_…` metrics, from Linux' /proc. What the system does not say is left out.
package enum ProcessMetrics {
    package static func add(to page: inout MetricPage) {
        if let fields = statFields() {
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            // Fields 14, 15, 20 and 22 of proc(5), counted from 1; the first two are cut off.
            if fields.count > 19, let user = Double(fields[11]), let system = Double(fields[12]) {
                page.counter(
                    "process_cpu_seconds", "User and system CPU time of this process in seconds.", [:],
                    (user + system) / ticks)
            }
            if fields.count > 17, let threads = Int(fields[17]) {
                page.gauge("process_threads", "Threads of this process.", [:], threads)
            }
            if fields.count > 19, let start = Double(fields[19]), let boot = bootTime() {
                page.gauge(
                    "process_start_time_seconds", "Start of this process in seconds since 1970.", [:],
                    boot + start / ticks)
            }
        }
        addMemory(to: &page)
        addFiles(to: &page)
    }

    /// Bytes of memory that this process occupies.
    package static var residentBytes: Int? {
        pages(at: 1).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }

    private static func addMemory(to page: inout MetricPage) {
        let size = Int(sysconf(Int32(_SC_PAGESIZE)))
        if let virtual = pages(at: 0) {
            page.gauge("process_virtual_memory_bytes", "Address space of this process in bytes.", [:], virtual * size)
        }
        if let resident = residentBytes {
            page.gauge(
                "process_resident_memory_bytes", "Memory that this process occupies, mapped files included, in bytes.",
                [:],
                resident)
        }
    }

    private static func addFiles(to page: inout MetricPage) {
        if let directory = unsafe opendir("/proc/self/fd") {
            var count = 0
            while unsafe readdir(directory) != nil { count += 1 }
            unsafe closedir(directory)
            // Two entries are the directory and its parent, one is the descriptor that reads it.
            page.gauge("process_open_fds", "Open file descriptors.", [:], max(0, count - 3))
        }
        var limit = rlimit()
        #if canImport(Glibc)
            let status = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
            let status = unsafe getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        if status == 0 { page.gauge("process_max_fds", "Limit of open file descriptors.", [:], Double(limit.rlim_cur)) }
    }

    /// The fields of /proc/self/stat after the program's name, which may hold spaces and parentheses.
    private static func statFields() -> [Substring]? {
        guard let text = ControlGroup.text("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func pages(at index: Int) -> Int? {
        let fields = ControlGroup.text("/proc/self/statm")?.split(separator: " ") ?? []
        return fields.indices.contains(index) ? Int(fields[index]) : nil
    }

    private static func bootTime() -> Double? {
        let line = ControlGroup.text("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line?.split(separator: " ").last.flatMap { Double($0) }
    }
}
