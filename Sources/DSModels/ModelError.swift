package import DSGraph

/// Everything that can be wrong with a model's files, its configuration or its weights.
package enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
    case unsupportedArchitecture(name: String, supported: [String])
    case missingKey(source: String, key: String)
    case wrongType(source: String, key: String, expected: String, found: String)
    /// A legal value that no part of the engine supports; `supported` names those that one does.
    case unsupportedValue(source: String, key: String, value: String, supported: String)
    case missingTensor(name: String, reason: String)
    /// Tensors of the file that no part of the architecture asked for.
    case unknownTensors(source: String, names: [String])
    case shapeMismatch(name: String, expected: [Int], found: [Int])
    case unsupportedTensor(name: String, reason: String)
    /// The path names something that is no model.
    case notAModel(path: String, reason: String)
    /// A file could not be read or written; `reason` is the lower module's message.
    case file(path: String, reason: String)
    /// The model cannot be represented in the format that was asked for.
    case notExportable(reason: String)
    case graph(GraphError)
    case running(reason: String)

    package var description: String {
        switch self {
        case .unsupportedArchitecture(let name, let supported):
            "architecture '\(name)': not supported; supported are \(supported.joined(separator: ", "))"
        case .missingKey(let source, let key): "\(source): key '\(key)': expected a value, found none"
        case .wrongType(let source, let key, let expected, let found):
            "\(source): key '\(key)': expected \(expected), found \(found)"
        case .unsupportedValue(let source, let key, let value, let supported):
            "\(source): key '\(key)': '\(value)' is not supported; supported: \(supported)"
        case .missingTensor(let name, let reason): "tensor '\(name)': \(reason)"
        case .unknownTensors(let source, let names):
            "\(source): \(names.count) tensor\(names.count == 1 ? "" : "s") that the architecture does not know: "
                + names.prefix(5).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 5 ? ", …" : "")
        case .shapeMismatch(let name, let expected, let found): "tensor '\(name)': expected \(expected), found \(found)"
        case .unsupportedTensor(let name, let reason): "tensor '\(name)': \(reason)"
        case .notAModel(let path, let reason): "'\(path)' is not a model: \(reason)"
        case .file(let path, let reason): reason.contains("'\(path)'") ? reason : "'\(path)': \(reason)"
        case .notExportable(let reason): "cannot export: \(reason)"
        case .graph(let error): error.description
        case .running(let reason): reason
        }
    }
}
