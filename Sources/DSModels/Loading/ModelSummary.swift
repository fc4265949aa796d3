package import DSGraph
package import DSKernels
package import DSTensor

/// What `deepseek info` tells about a model.
package struct ModelSummary: Sendable {
    package let name: String
    package let configuration: ModelConfiguration
    package let inventory: TensorInventory
    package let hasDraft: Bool
    /// Widths of the cache rows of one token.
    private let cacheRowWidths: [Int]
    private let draftRowWidths: [Int]

    package init(_ model: LoadedModel) {
        name = model.name
        configuration = model.configuration
        inventory = model.inventory
        hasDraft = model.architecture.draft != nil
        cacheRowWidths = model.architecture.stateSpecs(.f32).map(\.rowWidth)
        draftRowWidths = model.architecture.draftStateSpecs(.f32).map(\.rowWidth)
    }

    /// Bytes that the cache grows by with every token. The last block of a row, which engines want full, counts as a
    /// whole one.
    package func cacheBytesPerToken(_ cacheType: DType) -> Int { Self.bytes(cacheRowWidths, cacheType) }

    /// The same of the drafter's cache, which speculation with the model's own layer adds.
    package func draftCacheBytesPerToken(_ cacheType: DType) -> Int { Self.bytes(draftRowWidths, cacheType) }

    private static func bytes(_ widths: [Int], _ cacheType: DType) -> Int {
        let block = cacheType.blockElements
        return widths.reduce(0) { $0 + ($1 + block - 1) / block * cacheType.blockBytes }
    }

    /// Weights as they are mapped, copies made by loading, and the cache of `sequences` contexts of `context` tokens each, the
    /// drafter's included; activations, which depend on the batch, come on top.
    package func memoryBytes(context: Int, sequences: Int = 1, cacheType: DType) -> Int {
        let perToken = cacheBytesPerToken(cacheType) + draftCacheBytesPerToken(cacheType)
        return inventory.bytes + inventory.convertedBytes + context * sequences * perToken
    }
}

extension LoadedModel {
    /// Bytes of the copies of weights that optimisation level 3 makes on the processor at hand.
    package func layoutBytes(_ kernels: KernelSet) throws(GraphError) -> Int {
        let graph = try architecture.graph(TraceOptions(cacheType: .f32))
        return CPUBackend.copiedBytes(try PassPipeline(level: .layout).run(graph).graph, kernels)
    }
}
