internal import Crypto
internal import DSGraph
internal import DSKernels
internal import DSTensor

/// What must be equal for two processes to compute the same bits into their caches, as a digest: the graphs with all their
/// parameters, the cache's types, the kernels, and the weights.
///
/// Weights are sampled: the first and the middle kilobyte of every tensor. Reading all of them would take as long as loading; who
/// changes single values of a tensor by hand starts with an empty cache folder.
enum ModelFingerprint {
    private static let sampleBytes = 1024

    static func digest(_ graphs: [Graph], backend: any Backend) -> [UInt8] {
        var hash = SHA256()
        let devices = backend.topology.devices.map(\.name)
        update(&hash, "\(backend.name) \(devices) \(KernelSet.features)")
        for graph in graphs {
            for node in graph.nodes {
                update(&hash, "\(node.op) \(node.inputs.map(\.index)) \(node.outputs.map(\.index))")
            }
            for state in graph.states { update(&hash, "\(state.name) \(state.dtype) \(state.parts) \(state.rowWidth)") }
            update(&hash, "\(graph.outputs) \(graph.relocatableWeights.sorted())")
            for weight in graph.weights {
                update(&hash, "\(weight.name) \(weight.dims) \(weight.dtype)")
                for part in weight.parts + weight.blockScales { sample(part, &hash) }
            }
            for constant in graph.constants { sample(constant, &hash) }
        }
        return Array(hash.finalize())
    }

    private static func sample(_ tensor: Tensor, _ hash: inout SHA256) {
        tensor.withUnsafeBytes { bytes in
            for start in [0, bytes.count / 2] {
                hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(sampleBytes)))
            }
        }
    }

    /// Texts end with a byte that none of them holds.
    private static func update(_ hash: inout SHA256, _ text: String) {
        var text = text
        text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        withUnsafeBytes(of: UInt8(0xFF)) { hash.update(bufferPointer: $0) }
    }
}
