#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Read-only bytes that live as long as this object: a memory-mapped file, or memory that lives for ever.
///
/// A file must not be truncated while it is mapped: the system answers a read beyond the new end with a signal.
/// Files that we write ourselves are replaced by renaming, which leaves existing mappings intact.
@safe package final class MappedBytes: @unchecked Sendable {
    // SAFETY: the bytes are read-only and never move; the mapping is released only in deinit.

    /// How the kernel should expect the bytes to be read.
    package enum Advice: Sendable {
        case normal
        case sequential
        case random
        case willNeed
    }

    /// The whole content. Valid while this object lives.
    package let bytes: UnsafeRawBufferPointer
    let ownsMapping: Bool
    /// Whether `mincore` tells what is in memory: Linux says of files that the user could not write that all is.
    let tellsResidency: Bool

    package var count: Int { unsafe bytes.count }

    /// Maps the regular file at `path`. An empty file gives zero bytes.
    package init(path: String) throws(SupportError) {
        // Without O_NONBLOCK a named pipe would wait for its writer.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .lastSystemCall("open", path: path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .lastSystemCall("examine", path: path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
        let size = Int(status.st_size)
        guard size > 0 else {
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            ownsMapping = false
            tellsResidency = false
            return
        }
        let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw .lastSystemCall("map", path: path)
        }
        unsafe bytes = UnsafeRawBufferPointer(start: address, count: size)
        ownsMapping = true
        tellsResidency = unsafe geteuid() == 0 || geteuid() == status.st_uid || access(path, W_OK) == 0
    }

    /// Borrows memory that outlives the process's use of it, such as a resource linked into the binary.
    package init(staticBytes: UnsafeRawBufferPointer) {
        unsafe bytes = unsafe staticBytes
        ownsMapping = false
        tellsResidency = false
    }

    /// Copies `contents` into memory of its own; for small inputs and tests.
    package init(copying contents: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
        unsafe copy.copyBytes(from: contents)
        unsafe bytes = UnsafeRawBufferPointer(copy)
        ownsMapping = false
        tellsResidency = false
        unsafe allocation = copy
    }

    /// Set when the bytes were allocated by `init(copying:)`.
    private var allocation: UnsafeMutableRawBufferPointer?

    deinit {
        if ownsMapping, let base = unsafe bytes.baseAddress {
            unsafe munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
        }
        unsafe allocation?.deallocate()
    }

    /// Tells the kernel how `range` (the whole content when nil) will be read. A hint: failure changes nothing.
    package func advise(_ advice: Advice, range: Range<Int>? = nil) {
        guard ownsMapping, let base = unsafe bytes.baseAddress else { return }
        let range = (range ?? 0..<count).clamped(to: 0..<count)
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard !range.isEmpty, page > 0 else { return }
        let start = range.lowerBound / page * page
        let flag: Int32 =
            switch advice {
            case .normal: POSIX_MADV_NORMAL
            case .sequential: POSIX_MADV_SEQUENTIAL
            case .random: POSIX_MADV_RANDOM
            case .willNeed: POSIX_MADV_WILLNEED
            }
        _ = unsafe posix_madvise(UnsafeMutableRawPointer(mutating: base) + start, range.upperBound - start, flag)
    }
}
