package import DSEngine

/// Why a store cannot be opened, or a block in it cannot be used.
package enum BlockStoreError: Error, Equatable, CustomStringConvertible {
    /// The directory of a store cannot be used.
    case directory(String, reason: String)
    /// A setting of a store is wrong.
    case setting(String, expected: String, found: String)
    case damaged(BlockKey, expected: String, found: String)

    package var description: String {
        switch self {
        case .directory(let path, let reason):
            "prefix cache in \(path): expected a directory to write blocks to, found: \(reason)"
        case .setting(let name, let expected, let found): "\(name): expected \(expected), found \(found)"
        case .damaged(let key, let expected, let found): "block \(key): expected \(expected), found \(found)"
        }
    }
}
