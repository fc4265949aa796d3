import DSSupport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// System shared memory that clients registered, to pass tensors without copying them through a connection.
package final class SharedMemoryRegions: Sendable {
    package struct Description: Sendable, Equatable {
        package let name: String
        /// As given to `shm_open`.
        package let key: String
        package let offset: Int
        package let byteCount: Int

        package init(name: String, key: String, offset: Int, byteCount: Int) {
            self.name = name
            self.key = key
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    private struct Region: Sendable {
        let description: Description
        let object: SharedObject
    }

    private let regions = Mutex<[String: Region]>([:])

    package init() {}

    package func register(_ region: Description) throws(InferenceError) {
        guard region.offset >= 0, region.byteCount > 0 else {
            throw .invalid(
                "shared memory '\(region.name)': expected an offset of at least 0 and a size above 0, found \(region.offset) and \(region.byteCount)"
            )
        }
        let object = try SharedObject(key: region.key, name: region.name)
        guard region.offset <= object.byteCount, region.byteCount <= object.byteCount - region.offset else {
            throw .invalid(
                "shared memory '\(region.name)': expected at most \(object.byteCount) bytes, found \(region.byteCount) at offset \(region.offset)"
            )
        }
        let isNew = regions.withLock { regions in
            guard regions[region.name] == nil else { return false }
            regions[region.name] = Region(description: region, object: object)
            return true
        }
        guard isNew else {
            throw InferenceError(
                .alreadyExists, "shared memory '\(region.name)': expected a new name, found it registered already")
        }
    }

    /// Forgets one region, or all. Names that are not registered are ignored, as Triton does.
    package func unregister(_ name: String?) {
        regions.withLock { regions in
            if let name { regions[name] = nil } else { regions = [:] }
        }
    }

    /// - Parameter name: `nil`: all.
    package func status(_ name: String?) throws(InferenceError) -> [Description] {
        let all = regions.withLock { $0.values.map(\.description) }.sorted { $0.name < $1.name }
        guard let name else { return all }
        guard let one = all.first(where: { $0.name == name }) else { throw Self.unknown(name) }
        return [one]
    }

    package func read(_ name: String, offset: Int, count: Int) throws(InferenceError) -> [UInt8] {
        let region = try find(name, offset: offset, count: count)
        return try region.object.read(at: region.description.offset + offset, count: count)
    }

    package func write(_ bytes: [UInt8], to name: String, offset: Int, limit: Int) throws(InferenceError) {
        guard bytes.count <= limit else {
            throw .invalid("shared memory '\(name)': expected room for \(bytes.count) bytes, found \(limit)")
        }
        let region = try find(name, offset: offset, count: bytes.count)
        try region.object.write(bytes, at: region.description.offset + offset)
    }

    private func find(_ name: String, offset: Int, count: Int) throws(InferenceError) -> Region {
        guard let region = regions.withLock({ $0[name] }) else { throw Self.unknown(name) }
        let size = region.description.byteCount
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw .invalid(
                "shared memory '\(name)': expected at most \(size) bytes, found \(count) at offset \(offset)")
        }
        return region
    }

    private static func unknown(_ name: String) -> InferenceError {
        InferenceError(.notFound, "shared memory '\(name)': expected a registered region, found none")
    }
}

/// An open object of shared memory. It is read and written by system calls: a client that cuts a mapped one shorter would end
/// this process.
private final class SharedObject: Sendable {
    private let file: Int32
    private let name: String
    let byteCount: Int

    init(key: String, name: String) throws(InferenceError) {
        file = shm_open(key, O_RDWR, 0)
        self.name = name
        guard file >= 0 else {
            let reason = String(cString: strerror(errno))
            throw .invalid("shared memory '\(name)': expected an object '\(key)' that can be opened, found: \(reason)")
        }
        byteCount = max(0, Int(lseek(file, 0, SEEK_END)))
    }

    deinit { close(file) }

    func read(at offset: Int, count: Int) throws(InferenceError) -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, pread(file, buffer.baseAddress, count, off_t(offset)))
        }
        guard bytes.count == count else {
            throw .invalid("shared memory '\(name)': expected \(count) bytes at \(offset), found \(bytes.count)")
        }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(InferenceError) {
        let written = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(offset)) }
        guard written == bytes.count else {
            throw .invalid("shared memory '\(name)': expected room for \(bytes.count) bytes, found \(max(0, written))")
        }
    }
}
