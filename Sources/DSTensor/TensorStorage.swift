package import DSSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The owner of the bytes that tensors look at: a mapped file, static memory, or an allocation of its own.
///
/// Mapped bytes start wherever the file format put them, so kernels must use unaligned loads; allocated storage is
/// aligned to 64 bytes.
@safe public final class TensorStorage: @unchecked Sendable {
    // SAFETY: the memory never moves and lives until deinit. Mapped bytes are read-only; allocated bytes are written
    // only through `mutableBytes` by the code that allocated them, before the storage is shared between threads or
    // under that code's own synchronisation.

    /// Where allocated storage starts: a multiple of a cache line.
    public static let alignment = 64

    /// The file that the bytes lie in; nil when they were allocated.
    package let mapped: MappedBytes?
    private let allocated: UnsafeMutableRawPointer?
    /// The number of bytes.
    public let byteCount: Int
    private let base: UnsafeRawPointer?

    /// Keeps `mapped` alive and looks at all of it.
    package init(_ mapped: MappedBytes) {
        self.mapped = mapped
        unsafe self.allocated = nil
        unsafe self.base = unsafe mapped.bytes.baseAddress
        self.byteCount = mapped.count
    }

    /// Allocates `byteCount` zero bytes, aligned to 64.
    public init(byteCount: Int) throws(TensorError) {
        var memory: UnsafeMutableRawPointer?
        guard byteCount >= 0,
            unsafe posix_memalign(&memory, TensorStorage.alignment, Swift.max(byteCount, 1)) == 0,
            let memory = unsafe memory
        else { throw .outOfMemory(bytes: byteCount) }
        unsafe memset(memory, 0, byteCount)
        self.mapped = nil
        unsafe self.allocated = memory
        unsafe self.base = UnsafeRawPointer(memory)
        self.byteCount = byteCount
    }

    deinit {
        unsafe free(allocated)
    }

    /// All bytes. Valid while this object lives.
    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: byteCount) }

    /// All bytes for writing; nil when the storage is mapped or static.
    package var mutableBytes: UnsafeMutableRawBufferPointer? {
        unsafe allocated.map { unsafe UnsafeMutableRawBufferPointer(start: $0, count: byteCount) }
    }

    /// Whether the bytes can be written.
    public var isWritable: Bool { unsafe allocated != nil }

    /// Passes a reading hint to the kernel when the bytes are a mapped file.
    package func advise(_ advice: MappedBytes.Advice, range: Range<Int>? = nil) {
        mapped?.advise(advice, range: range)
    }
}
