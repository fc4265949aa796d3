import Crypto
import DSBlockStores
import DSEngine
import Foundation
import Synchronization
import Testing

@Suite struct DiskBlockStoreTests {
    private static let size = 1000 + BlockFile.overheadBytes

    @Test("Another store on the directory finds what the first one wrote")
    func outlivesTheProcess() async throws {
        let scratch = ScratchDirectory()
        let first = try DiskBlockStore(directory: scratch.path, byteLimit: 1 << 20)
        for number in 0..<5 { first.store(TestBlocks.key(number), TestBlocks.bytes(number)) }
        first.close(within: .seconds(30))
        #expect(first.statistics[0].stored == 5 && scratch.files.count == 5)
        #expect(await load(1, from: first) == .failed("the store is closed"))

        let second = try DiskBlockStore(directory: scratch.path, byteLimit: 1 << 20)
        for number in 0..<5 { #expect(await load(number, from: second) == .found(TestBlocks.bytes(number))) }
        #expect(await load(9, from: second) == .missing)
        let statistics = second.statistics[0]
        #expect(statistics.queries == 6 && statistics.hits == 5 && statistics.blocks == 5)
        #expect(statistics.usedBytes == 5 * Self.size && statistics.readBytes == 5000)
    }

    @Test("The block that was not used for the longest time makes room")
    func evicts() async throws {
        let scratch = ScratchDirectory()
        let store = try DiskBlockStore(directory: scratch.path, byteLimit: 3 * Self.size + 10)
        for number in 0..<3 { await stored(number, in: store) }
        #expect(await load(0, from: store) == .found(TestBlocks.bytes(0)))
        await stored(3, in: store)
        #expect(await load(1, from: store) == .missing)
        for number in [0, 2, 3] { #expect(await load(number, from: store) == .found(TestBlocks.bytes(number))) }
        #expect(store.statistics[0].evictions == 1 && scratch.files.count == 3)
        // Larger than the store.
        store.store(TestBlocks.key(7), TestBlocks.bytes(7, count: 8000))
        #expect(await load(7, from: store) == .missing)
        #expect(store.statistics[0].dropped == 1)
        // A smaller limit holds for what is there already.
        store.close(within: .seconds(30))
        let smaller = try DiskBlockStore(directory: scratch.path, byteLimit: Self.size)
        var left = 0
        for number in 0..<4 where await load(number, from: smaller) != .missing { left += 1 }
        #expect(left == 1 && scratch.files.count == 1)
    }

    @Test("A directory that was removed is made again")
    func removedDirectory() async throws {
        let scratch = ScratchDirectory()
        let store = try DiskBlockStore(directory: scratch.path, byteLimit: 1 << 20)
        try FileManager.default.removeItem(atPath: scratch.path)
        await stored(0, in: store)
        #expect(await load(0, from: store) == .found(TestBlocks.bytes(0)))
        #expect(store.statistics[0].failures == 0)
    }

    @Test("Damaged files are failures, and go", arguments: ["flip", "cut", "longer", "empty", "renamed", "header"])
    func damaged(_ damage: String) async throws {
        let scratch = ScratchDirectory()
        let told = Mutex<[String]>([])
        let failures = BlockFailures { line in told.withLock { $0.append(line) } }
        let store = try DiskBlockStore(directory: scratch.path, byteLimit: 1 << 20, failures: failures)
        await stored(0, in: store)
        let path = scratch.path + "/" + (try #require(scratch.files.first))
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(bytes.count == Self.size)
        switch damage {
        case "flip": bytes[bytes.count - 1] ^= 1
        case "cut": bytes.removeLast(17)
        case "longer": bytes.append(0)
        case "empty": bytes = []
        case "renamed": bytes = BlockFile.encode(TestBlocks.key(1), TestBlocks.bytes(0)).file
        default: bytes[0] ^= 1
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        guard case .failed(let reason) = await load(0, from: store) else {
            Issue.record("a block with damage '\(damage)' was accepted")
            return
        }
        #expect(reason.contains("expected") && reason.contains("found"))
        #expect(scratch.files.isEmpty && store.statistics[0].failures == 1)
        #expect(told.withLock(\.self) == ["\(path) was removed: \(reason)"])
        #expect(await load(0, from: store) == .missing)
        // It may come again.
        await stored(0, in: store)
        #expect(await load(0, from: store) == .found(TestBlocks.bytes(0)))
    }

    /// A directory without the right to write would not stop root.
    @Test("What cannot be written is a failure, and told once in an interval")
    func cannotWrite() async throws {
        let scratch = ScratchDirectory()
        let told = Mutex<[String]>([])
        let failures = BlockFailures(interval: .seconds(86_400)) { line in told.withLock { $0.append(line) } }
        let store = try DiskBlockStore(directory: scratch.path, byteLimit: 1 << 20, failures: failures)
        await stored(0, in: store)
        #expect(told.withLock(\.self).isEmpty)
        try FileManager.default.removeItem(atPath: scratch.path)
        try Data().write(to: URL(fileURLWithPath: scratch.path))
        store.store(TestBlocks.key(1), TestBlocks.bytes(1))
        store.store(TestBlocks.key(2), TestBlocks.bytes(2))
        // Waits for both.
        store.close(within: .seconds(30))
        let statistics = store.statistics[0]
        #expect(statistics.failures == 2 && statistics.stored == 1 && statistics.blocks == 1)
        let lines = told.withLock(\.self)
        #expect(lines.count == 1, "\(lines)")
        let line = try #require(lines.first)
        #expect(line.hasPrefix("\(scratch.path)/\(TestBlocks.key(1)).block could not be written: "), "\(line)")
    }

    @Test("The digest of a whole file is that of its bytes", arguments: [0, 1, 55, 64, 1000])
    func digests(count: Int) throws {
        let (file, digest) = BlockFile.encode(TestBlocks.key(0), TestBlocks.bytes(0, count: count))
        #expect(digest == Array(SHA256.hash(data: file)))
        #expect(try BlockFile.decode(file, as: TestBlocks.key(0)) == TestBlocks.bytes(0, count: count))
    }

    @Test("Files of others stay and are not counted")
    func foreignFiles() async throws {
        let scratch = ScratchDirectory()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        for name in ["notes.txt", "abc.block", String(repeating: "z", count: 64) + ".block"] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: scratch.path + "/" + name))
        }
        let store = try DiskBlockStore(directory: scratch.path, byteLimit: Self.size)
        await stored(0, in: store)
        await stored(1, in: store)
        #expect(await load(1, from: store) == .found(TestBlocks.bytes(1)))
        #expect(scratch.files.count == 4 && store.statistics[0].blocks == 1)
    }

    @Test("A path that is no directory is an error that names it")
    func noDirectory() throws {
        let scratch = ScratchDirectory()
        try Data().write(to: URL(fileURLWithPath: scratch.path))
        #expect(throws: BlockStoreError.self) { try DiskBlockStore(directory: scratch.path, byteLimit: 1) }
    }

    @Test("Tiers are asked in order, and what lies below is copied up")
    func tiers() async throws {
        let upper = MemoryBlockStore(byteLimit: 1 << 20)
        let lower = MemoryBlockStore(byteLimit: 1 << 20)
        lower.store(TestBlocks.key(0), TestBlocks.bytes(0))
        let store = TieredBlockStore([upper, lower])
        #expect(await load(0, from: store) == .found(TestBlocks.bytes(0)))
        #expect(upper.bytes(of: TestBlocks.key(0)) == TestBlocks.bytes(0))
        #expect(await load(0, from: store) == .found(TestBlocks.bytes(0)))
        #expect(lower.statistics[0].queries == 1)
        #expect(await load(1, from: store) == .missing)
        store.store(TestBlocks.key(2), TestBlocks.bytes(2))
        #expect(upper.bytes(of: TestBlocks.key(2)) != nil && lower.bytes(of: TestBlocks.key(2)) != nil)
        // A tier that fails does not hide the one below, and is named if that has nothing either.
        upper.close(within: .zero)
        #expect(await load(0, from: store) == .found(TestBlocks.bytes(0)))
        #expect(await load(5, from: store) == .failed("the store is closed"))
    }

    /// Stores a block and waits until it is written.
    private func stored(_ number: Int, in store: DiskBlockStore) async {
        let before = store.statistics[0]
        store.store(TestBlocks.key(number), TestBlocks.bytes(number))
        while true {
            let now = store.statistics[0]
            if now.stored + now.dropped + now.failures > before.stored + before.dropped + before.failures { return }
            await Task.yield()
        }
    }
}
