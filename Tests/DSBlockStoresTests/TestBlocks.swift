import DSEngine
import Foundation

/// Blocks with content that follows from their number.
enum TestBlocks {
    static func key(_ number: Int) -> BlockKey {
        guard let key = BlockKey(bytes: (0..<32).map { UInt8(truncatingIfNeeded: number &* 37 &+ $0) }) else {
            preconditionFailure("32 bytes")
        }
        return key
    }

    static func bytes(_ number: Int, count: Int = 1000) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number &* 7 &+ $0 >> 8) }
    }
}

/// How a load ends.
func load(_ number: Int, from store: any BlockStore) async -> BlockLoad {
    await withCheckedContinuation { continuation in
        store.load(TestBlocks.key(number)) { continuation.resume(returning: $0) }
    }
}

/// A directory that is removed with this object.
final class ScratchDirectory {
    let path = NSTemporaryDirectory() + "blocks-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

struct Congruential {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
