#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Which parts of a mapped file are in memory, and reading those that are not.
extension MappedBytes {
    /// Bytes of pages in `range` that reading would have to wait for; nil where the system does not tell this user.
    package func missingBytes(in range: Range<Int>) -> Int? {
        guard ownsMapping else { return 0 }
        guard tellsResidency else { return nil }
        guard let pages = unsafe pages(of: range) else { return 0 }
        let count = (pages.count + Self.pageSize - 1) / Self.pageSize
        #if canImport(Darwin)
            typealias Flag = CChar
        #else
            typealias Flag = UInt8
        #endif
        return unsafe withUnsafeTemporaryAllocation(of: Flag.self, capacity: count) { flags -> Int? in
            guard let first = flags.baseAddress,
                unsafe mincore(UnsafeMutableRawPointer(mutating: pages.baseAddress), pages.count, first) == 0
            else { return nil }
            var missing = 0
            for page in 0..<count where unsafe first[page] & 1 == 0 {
                missing += min(Self.pageSize, pages.count - page * Self.pageSize)
            }
            return missing
        }
    }

    /// Reads `range` into memory and returns when it is there. Where the system has a call for it (Linux 5.14), a failure
    /// of the device and a file that was cut short are errors; elsewhere they are signals, as for every read of mapped bytes.
    package func load(_ range: Range<Int>) throws(SupportError) {
        guard let pages = unsafe pages(of: range) else { return }
        // The system reads one window ahead per call, 128 KiB unless configured: this asks for all, and waits for none.
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.readAheadBytes) {
            advise(.willNeed, range: start..<min(start + Self.readAheadBytes, range.upperBound))
        }
        #if os(Linux)
            if unsafe madvise(UnsafeMutableRawPointer(mutating: pages.baseAddress), pages.count, Self.populateRead) == 0
            {
                return
            }
            // Older systems do not know the call. EFAULT stands for the signal that reading would have brought.
            guard errno == EINVAL else {
                guard errno == EFAULT else { throw .lastSystemCall("read", path: "mapped file") }
                throw .system(
                    operation: "read", path: "mapped file", code: EIO, reason: "its device failed, or it was cut short")
            }
        #endif
        for offset in stride(from: 0, to: pages.count, by: Self.pageSize) {
            unsafe Self.touch(pages.load(fromByteOffset: offset, as: UInt8.self))
        }
    }

    private static let pageSize = max(1, Int(sysconf(Int32(_SC_PAGESIZE))))
    private static let readAheadBytes = 128 << 10
    /// MADV_POPULATE_READ of Linux's mman-common.h; not every C library has it.
    private static let populateRead: Int32 = 22

    /// The part of `range` in this file, from the start of its first page.
    private func pages(of range: Range<Int>) -> UnsafeRawBufferPointer? {
        let range = range.clamped(to: 0..<count)
        guard ownsMapping, !range.isEmpty else { return nil }
        let start = range.lowerBound / Self.pageSize * Self.pageSize
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<range.upperBound])
    }

    /// Nothing, which the optimiser does not know.
    @inline(never) @_optimize(none)
    private static func touch(_ byte: UInt8) {}
}
