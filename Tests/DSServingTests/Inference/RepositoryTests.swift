import DSServing
import DSSupport
import Foundation
import Testing

@Suite struct RepositoryTests {
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("repository-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for (name, text) in files {
            let path = URL(fileURLWithPath: root + "/" + name)
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: path)
        }
        try body(root)
    }

    @Test func findsEveryLayout() throws {
        let files = [
            "plain.gguf": "", "hf/config.json": "{}", "triton/config.pbtxt": "max_batch_size: 0",
            "triton/1/model.gguf": "", "triton/3/other.ds": "", "triton/notes/x": "", "bare/2/config.json": "{}",
            "wrong/config.pbtxt": "nonsense: 1", "wrong/1/model.gguf": "", "nothing/readme": "",
            ".hidden/config.json": "",
        ]
        try withFolder(files) { root in
            let items = try RepositoryScanner(path: root).scan()
            #expect(items.map(\.name) == ["bare", "hf", "plain", "triton", "wrong"])
            let sources = items.compactMap { try? $0.source.get() }
            #expect(sources.map(\.name) == ["bare", "hf", "plain", "triton"])
            #expect(sources[0].versions == [2: .path(root + "/bare/2")])
            #expect(sources[1].versions == [1: .path(root + "/hf")])
            #expect(sources[2].versions == [1: .path(root + "/plain.gguf")])
            #expect(
                sources[3].versions == [1: .path(root + "/triton/1/model.gguf"), 3: .path(root + "/triton/3/other.ds")])
            #expect(try sources[3].chosenVersions() == [3])
            #expect(throws: InferenceError.self) { try RepositoryScanner(path: root, name: "x").scan() }
        }
    }

    @Test func aSingleModelMayHaveAnotherName() throws {
        try withFolder(["a.gguf": ""]) { root in
            let named = try RepositoryScanner(path: root, name: "x").scan()
            #expect(named.map(\.name) == ["x"])
            let alone = try RepositoryScanner(path: root + "/a.gguf").scan()
            #expect(alone.map(\.name) == ["a"])
            #expect(throws: InferenceError.self) { try RepositoryScanner(path: root + "/none").scan() }
        }
    }

    @Test func fingerprintsFollowTheFiles() throws {
        try withFolder(["m/1/model.gguf": "a"]) { root in
            let scanner = RepositoryScanner(path: root)
            let first = try scanner.scan()[0].source.get().fingerprint
            #expect(try scanner.scan()[0].source.get().fingerprint == first)
            try Data("bc".utf8).write(to: URL(fileURLWithPath: root + "/m/1/model.gguf"))
            #expect(try scanner.scan()[0].source.get().fingerprint != first)
        }
    }

    @Test func memoryThatIsNotThereIsRefused() throws {
        try withFolder(["m.gguf": String(repeating: "x", count: 1000)]) { root in
            let need = MemoryNeed.estimate(.path(root + "/m.gguf"), cacheBytes: 1 << 20)
            #expect(need >= 1000 + 1 << 20)
            #expect(throws: Never.self) { try MemoryNeed.check(model: "m", need: need, available: need) }
            #expect(throws: Never.self) { try MemoryNeed.check(model: "m", need: need, available: nil) }
            #expect(throws: InferenceError.self) { try MemoryNeed.check(model: "m", need: need, available: need - 1) }
        }
    }

    @Test func theTableKnowsWhatIsReady() throws {
        var table = RepositoryTable()
        table.know("m")
        #expect(throws: InferenceError.self) { try table.find("m", nil) }
        for version in [1, 2] {
            let loaded = ModelVersion(name: "m", version: version, model: try ConformanceModels.all()[0], served: nil)
            table["m", version] = .init(state: .ready, reason: "", loaded: loaded)
        }
        #expect(try table.find("m", nil).version == 2)
        #expect(try table.find("m", 1).version == 1)
        let (first, second) = (table.withdraw("m", 2), table.withdraw("m", 2))
        #expect(first?.version == 2 && second == nil)
        #expect(try table.find("m", nil).version == 1)
        #expect(table.brokenInvariant() == nil)
        #expect(throws: InferenceError.self) { try table.find("m", 2) }
        table.released("m", 2)
        #expect(table["m", 2]?.state == .unavailable && table["m", 2]?.reason == "unloaded")
        #expect(table.index(onlyReady: true).arrayValue?.count == 1)
        #expect(throws: InferenceError.self) { try table.find("other", nil) }
    }
}
