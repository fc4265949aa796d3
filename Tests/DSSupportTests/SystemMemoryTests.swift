import DSSupport
import Foundation
import Testing

@Suite struct SystemMemoryTests {
    @Test func machineHasMemory() throws {
        guard let total = SystemMemory.total else { return }  // Not Linux.
        let available = try #require(SystemMemory.available)
        #expect(available > 0 && available <= total)
    }

    /// What a control group leaves: its limit less what is used, without the file pages that it could drop.
    @Test func groupLimits() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("group-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        #expect(SystemMemory.remainder(of: folder.path, isUnified: true) == nil)
        try write("memory.max", "max\n")
        try write("memory.current", "700\n")
        #expect(SystemMemory.remainder(of: folder.path, isUnified: true) == nil)
        try write("memory.max", "1000\n")
        #expect(SystemMemory.remainder(of: folder.path, isUnified: true) == 300)
        try write("memory.stat", "anon 5\ninactive_file 60\nactive_file 40\nfile 100\n")
        #expect(SystemMemory.remainder(of: folder.path, isUnified: true) == 400)
        try write("memory.current", "5000\n")
        #expect(SystemMemory.remainder(of: folder.path, isUnified: true) == 0)
        #expect(SystemMemory.remainder(of: folder.path, isUnified: false) == nil)
        try write("memory.usage_in_bytes", "10\n")
        try write("memory.limit_in_bytes", "9223372036854771712\n")
        #expect(SystemMemory.remainder(of: folder.path, isUnified: false) == nil)
        try write("memory.limit_in_bytes", "30\n")
        #expect(SystemMemory.remainder(of: folder.path, isUnified: false) == 120)
    }
}
