import DSModels
import DSSupport
import Foundation
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

#if os(Linux)
    /// Not where the temporary folder is itself in memory.
    private func pagesCanBeEvicted() throws -> Bool { try PageInTests.File(byteCount: 1 << 20).canEvict() }

    @Suite(
        .serialized, .enabled("pages of the temporary folder cannot be taken out of memory") { try pagesCanBeEvicted() }
    ) struct PageInTests {
        fileprivate final class File {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("pages-\(UUID().uuidString)").path
            let content: [UInt8]

            init(byteCount: Int) throws {
                content = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 >> 12 &+ $0) }
                try Data(content).write(to: URL(fileURLWithPath: path))
            }

            deinit { unlink(path) }

            /// Takes the file out of the page cache, as long as nobody has read it through a mapping.
            func evict() {
                let descriptor = open(path, O_RDWR)
                #expect(fsync(descriptor) == 0)
                #expect(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0)
                close(descriptor)
            }

            func mapped() throws -> MappedBytes { try MappedBytes(path: path) }

            /// Whether pages can be taken out of memory here: they cannot where the folder is itself in memory.
            func canEvict() throws -> Bool {
                evict()
                let file = try mapped()
                return try #require(file.missingBytes(in: 0..<file.count)) > 0
            }
        }

        private func missing(_ file: MappedBytes) -> Int? { file.missingBytes(in: 0..<file.count) }

        /// Not a whole number of pages or chunks.
        private static let byteCount = (9 << 20) + 1234

        @Test func whatIsMissingIsReadIn() throws {
            let file = try File(byteCount: Self.byteCount)
            let other = try File(byteCount: 3 << 20)
            try #require(try file.canEvict() && other.canEvict())
            let files = [try file.mapped(), try other.mapped()]
            #expect(missing(files[0]) == Self.byteCount)
            #expect(missing(files[1]) == 3 << 20)
            #expect(PageIn.run(files, reservedBytes: 0) == .complete)
            #expect(files.map(missing) == [0, 0])
            #expect(Array(files[0].bytes) == file.content)
            #expect(PageIn.run(files, reservedBytes: 0) == .resident)
        }

        @Test func residentFilesAreLeft() throws {
            let file = try File(byteCount: Self.byteCount)
            let mapped = try file.mapped()
            // Just written.
            #expect(missing(mapped) == 0)
            #expect(PageIn.run([mapped], reservedBytes: 0, available: 0) == .resident)
        }

        @Test func nothingToRead() throws {
            let empty = try File(byteCount: 0).mapped()
            #expect(missing(empty) == 0)
            #expect(PageIn.run([empty], reservedBytes: 0) == .resident)
            #expect(PageIn.run([], reservedBytes: 0) == .resident)
            #expect(PageIn.run([MappedBytes(copying: [1, 2, 3])], reservedBytes: 0) == .resident)
        }

        @Test func aByteIsAPage() throws {
            let file = try File(byteCount: 1)
            try #require(try file.canEvict())
            let mapped = try file.mapped()
            #expect(missing(mapped) == 1)
            #expect(PageIn.run([mapped], reservedBytes: 0) == .complete)
            #expect(missing(mapped) == 0)
        }

        /// What does not fit beside what else is needed is left where it is.
        @Test func tooLargeForMemory() throws {
            let file = try File(byteCount: Self.byteCount)
            try #require(try file.canEvict())
            let mapped = try file.mapped()
            let available = 20 << 20
            let outcome = PageIn.run([mapped], reservedBytes: 10 << 20, available: available)
            #expect(outcome == .doesNotFit(bytes: Self.byteCount, available: available))
            #expect(outcome.note == "the weights (9 MiB) are not read ahead, as 20 MiB of memory are available")
            #expect(missing(mapped) == Self.byteCount)
            #expect(PageIn.run([mapped], reservedBytes: 0, available: available) == .complete)
        }

        @Test func progressIsTold() throws {
            let file = try File(byteCount: Self.byteCount)
            try #require(try file.canEvict())
            let mapped = try file.mapped()
            let calls = Mutex<[(done: Int, total: Int)]>([])
            let outcome = PageIn.run([mapped], reservedBytes: 0, quietTime: .zero) { done, total in
                calls.withLock { $0.append((done, total)) }
                return true
            }
            let told = calls.withLock { $0 }
            #expect(outcome == .complete)
            #expect(told.last?.done == Self.byteCount)
            #expect(told.allSatisfy { $0.total == Self.byteCount })
            #expect(told.dropLast().allSatisfy { $0.done < Self.byteCount })
            let reports = Atomic<Int>(0)
            file.evict()
            _ = PageIn.run([try file.mapped()], reservedBytes: 0, quietTime: .seconds(3600)) { _, _ in
                reports.add(1, ordering: .relaxed)
                return true
            }
            #expect(reports.load(ordering: .relaxed) == 0)
        }

        @Test func cancelling() throws {
            // One thread takes a chunk at a time, and there are more chunks than threads.
            let file = try File(byteCount: 64 << 20)
            try #require(try file.canEvict())
            let mapped = try file.mapped()
            let calls = Atomic<Int>(0)
            let outcome = PageIn.run([mapped], reservedBytes: 0, quietTime: .zero) { _, _ in
                calls.add(1, ordering: .relaxed)
                return false
            }
            #expect(outcome == .cancelled)
            #expect(outcome.note == nil)
            #expect(calls.load(ordering: .relaxed) == 1)
            #expect(PageIn.run([mapped], reservedBytes: 0) != .cancelled)
            #expect(missing(mapped) ?? .max <= 64 << 20 / 20)
        }

        /// A file that another program cuts while it is mapped: an error that is told, not a signal.
        @Test func shortenedFiles() throws {
            let file = try File(byteCount: Self.byteCount)
            try #require(try file.canEvict())
            let mapped = try file.mapped()
            #expect(truncate(file.path, 2 << 20) == 0)
            file.evict()
            let outcome = PageIn.run([mapped], reservedBytes: 0)
            guard case .failed(let reason) = outcome else {
                Issue.record("expected a failure, found \(outcome)")
                return
            }
            #expect(reason.contains("cut short"))
            #expect(outcome.note?.contains(reason) == true)
        }

        @Test func loadReadsOneRange() throws {
            let file = try File(byteCount: Self.byteCount)
            try #require(try file.canEvict())
            let mapped = try file.mapped()
            try mapped.load(5000..<5001)
            #expect(mapped.missingBytes(in: 4096..<8192) == 0)
            try mapped.load(Self.byteCount - 1..<Self.byteCount + 5000)
            #expect(mapped.missingBytes(in: Self.byteCount - 1..<Self.byteCount) == 0)
            try mapped.load(Self.byteCount..<Self.byteCount + 1)
        }

        /// The models that the engine opens know their files.
        @Test func modelsKnowTheirFiles() throws {
            let model = try LoadedModel.open(path: Golden(name: "qwen2").directory)
            #expect(model.files.count == 1)
            #expect(model.files.reduce(0) { $0 + $1.count } >= model.inventory.bytes)
            #expect(PageIn.run(try LoadedModel.embedded().files, reservedBytes: 0) == .resident)
        }
    }
#endif
