#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

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
