internal import CDSDefaultModel
internal import DSFormats
internal import DSGraph
package import DSSupport
internal import DSTensor

/// A model that is ready to be traced: its architecture over mapped weights, and what its tokenizer is made of.
package struct LoadedModel: Sendable {
    /// A path, or `embedded`.
    package let name: String
    package let architecture: any Architecture
    package let tokenizer: TokenizerSource
    /// Counts and sizes of the tensors.
    package let inventory: TensorInventory
    /// The files that hold the tensors, in their order.
    package let files: [MappedBytes]

    package var configuration: ModelConfiguration { architecture.configuration }

    /// Opens a Hugging Face directory, or a `.gguf` or `.ds` file, judged by content.
    package static func open(path: String) throws(ModelError) -> LoadedModel {
        switch try Checkpoint.reading(path, { () throws(FormatError) in try ModelFileKind.detect(path) }) {
        case .directory: return try directory(path)
        case .gguf:
            let checkpoint = try Checkpoint.reading(path) { () throws(FormatError) in try GGUFCheckpoint(path: path) }
            return try gguf(checkpoint.metadata, checkpoint, name: path)
        case .safetensors, .json:
            throw .notAModel(path: path, reason: "expected a directory with config.json, a .gguf or a .ds file")
        }
    }

    /// Opens the model that is linked into the binary.
    package static func embedded() throws(ModelError) -> LoadedModel {
        let size = cds_default_model_size()
        guard size > 0, let start = cds_default_model_bytes() else {
            throw .notAModel(path: "embedded", reason: "this build has no default model")
        }
        let bytes = MappedBytes(staticBytes: UnsafeRawBufferPointer(start: start, count: size))
        let file = try Checkpoint.reading("embedded") { () throws(FormatError) in try GGUFFile(bytes: bytes) }
        return try gguf(file.metadata, file, name: "embedded")
    }

    private static func directory(_ path: String) throws(ModelError) -> LoadedModel {
        let checkpoint = try Checkpoint.open(directory: path)
        let tokenizer = try Checkpoint.reading(path) { () throws(FormatError) in
            try TokenizerSource(ModelDirectory(path: path), checkpoint.reader)
        }
        return try assemble(
            path, checkpoint.architecture, checkpoint.reader, checkpoint.source, scaleBlock: checkpoint.scaleBlock,
            tokenizer: tokenizer)
    }

    private static func gguf(
        _ metadata: GGUFMetadata, _ container: any TensorContainer, name: String
    ) throws(ModelError) -> LoadedModel {
        let configuration = try GGUFConfiguration(metadata, container, source: "'\(name)'")
        let source = try GGUFSource(container, description: "'\(name)'", headShapes: configuration.headShapes)
        let tokenizer = try Checkpoint.reading(name) { () throws(FormatError) in try TokenizerSource(metadata) }
        let type = try ModelRegistry.architecture(named: try configuration.reader.text("model_type"))
        return try assemble(name, type, configuration.reader, source, scaleBlock: nil, tokenizer: tokenizer)
    }

    private static func assemble(
        _ name: String, _ type: any Architecture.Type, _ reader: ConfigurationReader, _ source: any TensorSource,
        scaleBlock: WeightRef.ScaleBlock?, tokenizer: TokenizerSource
    ) throws(ModelError) -> LoadedModel {
        let store = WeightStore(source: source, scaleBlock: scaleBlock)
        let architecture = try type.init(reader, store)
        try store.finish()
        return LoadedModel(
            name: name, architecture: architecture, tokenizer: tokenizer,
            inventory: try TensorInventory(source, architecture.configuration, convertedBytes: store.convertedBytes),
            files: try files(of: source))
    }

    private static func files(of source: any TensorSource) throws(ModelError) -> [MappedBytes] {
        var files: [MappedBytes] = []
        var known: Set<ObjectIdentifier> = []
        for name in source.names {
            guard let file = try source.tensor(name).storage.mapped, known.insert(ObjectIdentifier(file)).inserted
            else { continue }
            files.append(file)
        }
        return files
    }
}
