internal import Crypto
package import DSEngine

/// A block as a file or an object: what it is, how long, a digest over it, and its bytes.
///
///     offset  bytes
///     0       8      "DSBLOCK1"
///     8       8      number of the block's bytes, little-endian
///     16      32     key
///     48      32     SHA-256 of the block's bytes
///     80      …      the block's bytes
package enum BlockFile {
    package static let headerBytes = 80
    private static let magic = Array("DSBLOCK1".utf8)

    package static func encode(_ key: BlockKey, _ bytes: [UInt8]) -> [UInt8] {
        var file: [UInt8] = []
        file.reserveCapacity(headerBytes + bytes.count)
        file += magic
        file += (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        file += key.bytes
        file += digest(bytes)
        file += bytes
        return file
    }

    /// The block's bytes.
    /// - Throws: `BlockStoreError.damaged` for everything that `encode` did not make of this key.
    package static func decode(_ file: [UInt8], as key: BlockKey) throws(BlockStoreError) -> [UInt8] {
        guard file.count >= headerBytes, file.starts(with: magic) else {
            throw .damaged(key, expected: "a block", found: "\(file.count) bytes of something else")
        }
        let count = (0..<8).reduce(UInt64(0)) { $0 | UInt64(file[8 + $1]) << (8 * UInt64($1)) }
        guard UInt64(file.count - headerBytes) == count else {
            throw .damaged(key, expected: "\(count) bytes", found: "\(file.count - headerBytes)")
        }
        guard let name = BlockKey(bytes: file[16..<48]), name == key else {
            throw .damaged(key, expected: "this key", found: "the block of another one")
        }
        let bytes = Array(file[headerBytes...])
        guard digest(bytes).elementsEqual(file[48..<80]) else {
            throw .damaged(key, expected: "the digest in its header", found: "other bytes")
        }
        return bytes
    }

    static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
