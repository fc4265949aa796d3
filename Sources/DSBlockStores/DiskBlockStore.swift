package import DSEngine
import DSSupport
import Dispatch
import Foundation
import Synchronization

/// Blocks in the files of a directory (`BlockFile`). They outlive the process; several processes may share the directory.
///
/// A file appears whole or not at all: it is written under another name and renamed. Nothing is flushed to the device: what a
/// power failure leaves half-written fails its digest and is removed. The order of use is kept across restarts in the
/// files' modification dates.
package final class DiskBlockStore: BlockStore {
    package let name = "disk"

    private struct State: Sendable {
        var order = UseOrder()
        var statistics = BlockStoreStatistics(name: "disk")
        var pendingBytes = 0
        var isClosed = false
        /// What was taken and not yet written is dropped.
        var dropsPending = false
    }

    private let directory: URL
    private let byteLimit: Int
    private let pendingLimit: Int
    private let failures: BlockFailures?
    private let state = Mutex(State())
    /// Loads do not wait for stores.
    private let reading = DispatchQueue(label: "deepseek.blocks.reading", qos: .userInitiated)
    private let writing = DispatchQueue(label: "deepseek.blocks.writing", qos: .utility)

    /// - Parameters:
    ///   - directory: made if it does not exist.
    ///   - byteLimit: of all files together.
    ///   - pendingLimit: bytes of blocks that may wait to be written; more are dropped.
    ///   - failures: is told what cannot be read or written.
    package init(
        directory: String, byteLimit: Int, pendingLimit: Int = 256 << 20, failures: BlockFailures? = nil
    ) throws(BlockStoreError) {
        self.directory = URL(fileURLWithPath: directory, isDirectory: true)
        self.byteLimit = byteLimit
        self.pendingLimit = pendingLimit
        self.failures = failures
        let probe = self.directory.appendingPathComponent(".probe-\(ProcessInfo.processInfo.processIdentifier)")
        do {
            try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
            try Data().write(to: probe)
            try FileManager.default.removeItem(at: probe)
        } catch {
            throw .directory(directory, reason: error.localizedDescription)
        }
        // Loads queue behind it: none misses a block for being early.
        reading.async { self.readDirectory() }
    }

    // MARK: Loads

    package func load(_ key: BlockKey, completion: @escaping @Sendable (BlockLoad) -> Void) {
        reading.async { completion(self.read(key)) }
    }

    private func read(_ key: BlockKey) -> BlockLoad {
        let isClosed = state.withLock { state in
            state.statistics.queries += 1
            return state.isClosed
        }
        guard !isClosed else { return .failed("the store is closed") }
        let file = file(of: key)
        guard FileManager.default.fileExists(atPath: file.path) else {
            // Also if another process removed it.
            state.withLock { $0.order.remove(key) }
            return .missing
        }
        do {
            let bytes = try BlockFile.decode([UInt8](try Data(contentsOf: file)), as: key)
            let now: [FileAttributeKey: Any] = [.modificationDate: Date()]
            try? FileManager.default.setAttributes(now, ofItemAtPath: file.path)
            state.withLock { state in
                // Another process may have written it.
                if !state.order.contains(key) {
                    state.order.insert(key, byteCount: bytes.count + BlockFile.overheadBytes)
                }
                state.order.touch(key)
                state.statistics.hits += 1
                state.statistics.readBytes += bytes.count
            }
            return .found(bytes)
        } catch {
            try? FileManager.default.removeItem(at: file)
            state.withLock { state in
                state.order.remove(key)
                state.statistics.failures += 1
            }
            let isGone = !FileManager.default.fileExists(atPath: file.path)
            failures?.note("\(file.path) \(isGone ? "was removed" : "could not be removed"): \(error)", of: .reading)
            return .failed("\(error)")
        }
    }

    // MARK: Stores

    package func store(_ key: BlockKey, _ bytes: [UInt8]) {
        let size = bytes.count + BlockFile.overheadBytes
        let isTaken = state.withLock { state in
            guard !state.isClosed, size <= byteLimit, state.pendingBytes + size <= pendingLimit,
                !state.order.contains(key)
            else {
                state.statistics.dropped += 1
                return false
            }
            state.pendingBytes += size
            return true
        }
        if isTaken { writing.async { self.write(key, bytes) } }
    }

    private func write(_ key: BlockKey, _ bytes: [UInt8]) {
        let size = bytes.count + BlockFile.overheadBytes
        defer { state.withLock { $0.pendingBytes -= size } }
        let oldest = state.withLock { state -> [BlockKey]? in
            guard !state.dropsPending, !state.order.contains(key) else {
                state.statistics.dropped += 1
                return nil
            }
            var oldest: [BlockKey] = []
            while state.order.usedBytes + size > byteLimit, let next = state.order.removeOldest() {
                oldest.append(next)
            }
            state.statistics.evictions += oldest.count
            return oldest
        }
        guard let oldest else { return }
        for key in oldest { try? FileManager.default.removeItem(at: file(of: key)) }
        do {
            try put(Data(BlockFile.encode(key, bytes).file), at: file(of: key))
            state.withLock { state in
                state.order.insert(key, byteCount: size)
                state.statistics.stored += 1
                state.statistics.writtenBytes += bytes.count
            }
        } catch {
            state.withLock { $0.statistics.failures += 1 }
            failures?.note("\(file(of: key).path) could not be written: \(error.localizedDescription)", of: .writing)
        }
    }

    private func put(_ data: Data, at file: URL) throws {
        do {
            try data.write(to: file, options: .atomic)
        } catch {
            // Somebody may have removed the directory.
            guard !FileManager.default.fileExists(atPath: directory.path) else { throw error }
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            try data.write(to: file, options: .atomic)
        }
    }

    package func close(within limit: Duration) {
        state.withLock { $0.isClosed = true }
        let written = DispatchSemaphore(value: 0)
        writing.async { written.signal() }
        let seconds = limit / .seconds(1)
        if written.wait(timeout: .now() + seconds) == .timedOut { state.withLock { $0.dropsPending = true } }
    }

    // MARK: The directory

    private func file(of key: BlockKey) -> URL {
        directory.appendingPathComponent("\(key)\(Self.suffix)", isDirectory: false)
    }

    private static let suffix = ".block"

    /// The key that a file's name gives.
    private static func key(of name: String) -> BlockKey? {
        guard name.hasSuffix(suffix) else { return nil }
        return [UInt8](hexadecimal: name.dropLast(suffix.count)).flatMap { BlockKey(bytes: $0) }
    }

    /// Learns what is there, in the order of last use, and keeps to the limit. Files with other names are not ours.
    private func readDirectory() {
        let keys: Set<URLResourceKey> = [.contentModificationDateKey, .fileSizeKey]
        let files =
            (try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: Array(keys))) ?? []
        let found = files.compactMap { url -> (key: BlockKey, size: Int, date: Date)? in
            guard let key = Self.key(of: url.lastPathComponent),
                let values = try? url.resourceValues(forKeys: keys), let size = values.fileSize,
                let date = values.contentModificationDate
            else { return nil }
            return (key, size, date)
        }
        let evicted = state.withLock { state in
            var evicted: [BlockKey] = []
            for file in found.sorted(by: { $0.date < $1.date }) where !state.order.contains(file.key) {
                state.order.insert(file.key, byteCount: file.size)
            }
            while state.order.usedBytes > byteLimit, let key = state.order.removeOldest() { evicted.append(key) }
            state.statistics.evictions += evicted.count
            return evicted
        }
        for key in evicted { try? FileManager.default.removeItem(at: file(of: key)) }
    }

    package var statistics: [BlockStoreStatistics] {
        state.withLock { state in
            var statistics = state.statistics
            statistics.blocks = state.order.count
            statistics.usedBytes = state.order.usedBytes
            statistics.byteLimit = byteLimit
            return [statistics]
        }
    }
}
