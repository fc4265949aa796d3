internal import Crypto
package import DSEngine

/// A block as a file or an object: what it is, how long, its bytes, and a digest over all of them.
///
///     offset     bytes
///     0          8      "DSBLOCK2"
///     8          8      number of the block's bytes, little-endian: n
///     16         32     key
///     48         n      the block's bytes
///     48 + n     32     SHA-256 of everything before
package enum BlockFile {
    /// What a file has beside the block's bytes.
    package static let overheadBytes = headerBytes + digestBytes
    private static let headerBytes = 48
    private static let digestBytes = 32
    private static let magic = Array("DSBLOCK2".utf8)

    /// - Returns: the file, and its own SHA-256, which continues the digest at its end instead of reading the block again.
    package static func encode(_ key: BlockKey, _ bytes: [UInt8]) -> (file: [UInt8], digest: [UInt8]) {
        var file: [UInt8] = []
        file.reserveCapacity(overheadBytes + bytes.count)
        file += magic
        file += (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        file += key.bytes
        file += bytes
        var hash = SHA256()
        hash.update(data: file)
        var whole = hash
        let end = Array(hash.finalize())
        file += end
        whole.update(data: end)
        return (file, Array(whole.finalize()))
    }

    /// The block's bytes.
    /// - Throws: `BlockStoreError.damaged` for everything that `encode` did not make of this key.
    package static func decode(_ file: [UInt8], as key: BlockKey) throws(BlockStoreError) -> [UInt8] {
        guard file.count >= overheadBytes, file.starts(with: magic) else {
            throw .damaged(key, expected: "a block", found: "\(file.count) bytes of something else")
        }
        let count = (0..<8).reduce(UInt64(0)) { $0 | UInt64(file[8 + $1]) << (8 * UInt64($1)) }
        guard UInt64(file.count - overheadBytes) == count else {
            throw .damaged(key, expected: "\(count) bytes", found: "\(file.count - overheadBytes)")
        }
        guard let name = BlockKey(bytes: file[16..<headerBytes]), name == key else {
            throw .damaged(key, expected: "this key", found: "the block of another one")
        }
        let end = file.count - digestBytes
        guard SHA256.hash(data: file[..<end]).elementsEqual(file[end...]) else {
            throw .damaged(key, expected: "the digest at its end", found: "other bytes")
        }
        return Array(file[headerBytes..<end])
    }
}
