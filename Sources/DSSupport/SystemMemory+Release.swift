#if canImport(Glibc)
    internal import Glibc
#endif

extension SystemMemory {
    /// Gives pages that the allocator keeps for later back to the system, where it can be asked to.
    package static func returnFreePages() {
        #if canImport(Glibc)
            // Swift's module of glibc leaves out <malloc.h>.
            typealias Trim = @convention(c) (Int) -> Int32
            guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return }
            _ = unsafe unsafeBitCast(symbol, to: Trim.self)(0)
        #endif
    }
}
