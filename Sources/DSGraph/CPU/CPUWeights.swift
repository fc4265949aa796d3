internal import DSKernels
internal import DSSupport
internal import DSTensor

/// Weights as host kernels read them: vectors become aligned f32; matrices stay where they are mapped, and those that the graph
/// calls relocatable have copies beside them with sixteen rows interleaved, which products read several times faster.
@safe final class CPUWeights: BoundWeights, @unchecked Sendable {
    // SAFETY: immutable after init; `graph` keeps mapped bytes alive, `owner` the converted vectors and the tables.

    private let graph: Graph
    private let owner = PlanOwner()
    private let vectors: [Int: UnsafePointer<Float>]
    private let constants: [Int: UnsafePointer<Float>]
    private let scales: [Int: [UnsafePointer<Float>]]
    private var stacks: [Int: WeightStack] = [:]
    /// Interleaved copies of relocatable weights: their matrices in order.
    private var interleaved: [Int: [MatrixWeight]] = [:]
    private let copies: AnonymousMemory?
    /// Why there are no copies although the graph allows them.
    let note: String?

    init(_ graph: Graph, kernels: KernelSet, pool: ThreadPool, reservedBytes: Int) throws(GraphError) {
        self.graph = graph
        var vectors: [Int: UnsafePointer<Float>] = unsafe [:]
        var constants: [Int: UnsafePointer<Float>] = unsafe [:]
        var scales: [Int: [UnsafePointer<Float>]] = unsafe [:]
        for node in graph.nodes {
            switch node.op {
            case .weight(let index):
                let weight = graph.weights[index]
                if weight.dims.count == 1 {
                    unsafe vectors[index] = try Self.floats(weight.parts[0], weight.name, owner)
                }
                var list: [UnsafePointer<Float>] = unsafe []
                for tensor in weight.blockScales { unsafe list.append(try Self.floats(tensor, weight.name, owner)) }
                unsafe scales[index] = unsafe list
            case .constant(let index):
                guard graph.constants[index].dtype == .f32 else { continue }
                unsafe constants[index] = try Self.floats(graph.constants[index], "constant \(index)", owner)
            default: continue
            }
        }
        unsafe self.vectors = unsafe vectors
        unsafe self.constants = unsafe constants
        unsafe self.scales = unsafe scales
        let sources = Self.relocatable(graph, kernels)
        let byteCount = sources.reduce(0) { $0 + $1.byteCount }
        let available = SystemMemory.available ?? .max
        let fits = byteCount > 0 && byteCount <= available / 10 * 9 - reservedBytes
        let memory = fits ? try? AnonymousMemory(byteCount: byteCount) : nil
        copies = memory
        if let memory {
            note = nil
            try interleave(sources, memory, kernels, pool)
        } else {
            note =
                byteCount == 0
                ? nil
                : "the weights stay as they are mapped, which is slower: there is no memory for \(byteCount) bytes of copies "
                    + "beside \(reservedBytes) bytes of cache (\(available) bytes are available)"
        }
        for node in graph.nodes {
            guard case .weight(let index) = node.op, graph.weights[index].dims.count == 3 else { continue }
            stacks[index] = try makeStack(index)
        }
    }

    /// Relocatable weights whose format has an interleaved form, and the bytes of it.
    static func relocatable(_ graph: Graph, _ kernels: KernelSet) -> [(index: Int, byteCount: Int)] {
        graph.relocatableWeights.sorted().compactMap { index in
            let weight = graph.weights[index]
            guard kernels.canInterleave(weight.dtype, columns: weight.columns),
                let rowBytes = weight.dtype.rowBytes(weight.columns)
            else { return nil }
            return (index, weight.matrixCount * kernels.interleavedByteCount(rows: weight.rows, rowBytes: rowBytes))
        }
    }

    private func interleave(
        _ sources: [(index: Int, byteCount: Int)], _ memory: AnonymousMemory, _ kernels: KernelSet, _ pool: ThreadPool
    ) throws(GraphError) {
        var place = unsafe memory.base
        for (index, _) in sources {
            let weight = graph.weights[index]
            var matrices: [MatrixWeight] = []
            for part in 0..<weight.matrixCount {
                let source = try matrix(index, part: part)
                let target = unsafe SharedAddress(place)
                unsafe pool.run { share in unsafe kernels.interleave(source, to: target.address, share: share) }
                unsafe matrices.append(kernels.interleaved(source, at: place))
                unsafe place += kernels.interleavedByteCount(rows: source.rows, rowBytes: source.rowBytes)
            }
            interleaved[index] = matrices
        }
    }

    /// The tensor's own bytes when they are aligned f32, else a converted copy.
    private static func floats(
        _ tensor: Tensor, _ name: String, _ owner: PlanOwner
    ) throws(GraphError) -> UnsafePointer<Float> {
        if tensor.dtype == .f32, let address = unsafe tensor.baseAddress,
            Int(bitPattern: address).isMultiple(of: MemoryLayout<Float>.alignment)
        {
            return unsafe address.assumingMemoryBound(to: Float.self)
        }
        guard let values = RowConversion.floats(of: tensor) else {
            throw .weight(name: name, reason: "expected a type that converts to f32, found \(tensor.dtype)")
        }
        return unsafe UnsafePointer(owner.keep(values))
    }

    /// A vector operand: a weight or a constant.
    func vector(_ value: ValueID, _ builder: PlanBuilder) throws(GraphError) -> UnsafePointer<Float> {
        if let index = builder.weightIndex(of: value), let vector = unsafe vectors[index] { return unsafe vector }
        if let index = builder.constantIndex(of: value), let vector = unsafe constants[index] { return unsafe vector }
        throw .unsupported(op: "vector operand", backend: "cpu", reason: "expected a weight or a constant")
    }

    func matrix(_ value: ValueID, _ builder: PlanBuilder) throws(GraphError) -> MatrixWeight {
        let (index, weight) = try reference(value, builder)
        guard weight.dims.count == 2 else {
            throw .weight(name: weight.name, reason: "expected a matrix, found \(weight.dims)")
        }
        return try matrix(index, part: 0)
    }

    /// A matrix of which only products are computed.
    func product(_ value: ValueID, _ builder: PlanBuilder) throws(GraphError) -> MatrixWeight {
        let (index, weight) = try reference(value, builder)
        guard weight.dims.count == 2 else {
            throw .weight(name: weight.name, reason: "expected a matrix, found \(weight.dims)")
        }
        return try productMatrix(index, part: 0)
    }

    private func productMatrix(_ index: Int, part: Int) throws(GraphError) -> MatrixWeight {
        if let copies = interleaved[index] { return copies[part] }
        return try matrix(index, part: part)
    }

    private func reference(_ value: ValueID, _ builder: PlanBuilder) throws(GraphError) -> (Int, WeightRef) {
        guard let index = builder.weightIndex(of: value) else {
            throw .unsupported(op: "matrix operand", backend: "cpu", reason: "expected a weight, found an activation")
        }
        return (index, graph.weights[index])
    }

    /// Matrix `part` of a weight, whether its matrices are one tensor or several.
    private func matrix(_ index: Int, part: Int) throws(GraphError) -> MatrixWeight {
        let weight = graph.weights[index]
        let tensor = weight.parts.count == 1 ? weight.parts[0] : weight.parts[part]
        guard let rowBytes = weight.dtype.rowBytes(weight.columns), let address = unsafe tensor.baseAddress else {
            throw .weight(name: weight.name, reason: "expected whole rows of \(weight.dtype), found \(weight.dims)")
        }
        let offset = weight.parts.count == 1 ? part * weight.rows * rowBytes : 0
        let blockScales = try blockScales(index, weight, part)
        return unsafe MatrixWeight(
            base: address + offset, dtype: weight.dtype, rows: weight.rows, columns: weight.columns,
            rowBytes: rowBytes, blockScales: blockScales)
    }

    /// The scales of matrix `part`; a stack's scales are one tensor or one per matrix, like the stack itself.
    private func blockScales(
        _ index: Int, _ weight: WeightRef, _ part: Int
    ) throws(GraphError) -> BlockScales? {
        guard let block = weight.scaleBlock, let list = unsafe scales[index], unsafe !list.isEmpty else { return nil }
        guard block.rows > 0, block.columns > 0 else {
            throw .weight(name: weight.name, reason: "expected positive scale blocks, found \(block)")
        }
        let perMatrix =
            ((weight.rows + block.rows - 1) / block.rows) * ((weight.columns + block.columns - 1) / block.columns)
        let matrices = weight.dims.count == 3 ? weight.dims[0] : 1
        let found = weight.blockScales.map(\.shape.elementCount)
        let expected = found.count == 1 ? [perMatrix * matrices] : [Int](repeating: perMatrix, count: matrices)
        guard found == expected else {
            throw .weight(name: weight.name, reason: "expected \(perMatrix) scales per matrix, found \(found)")
        }
        let values = unsafe list.count == 1 ? list[0] + part * perMatrix : list[part]
        return unsafe BlockScales(values: values, blockRows: block.rows, blockColumns: block.columns)
    }

    /// Matrices of all experts. The tables are made once and shared by all plans.
    func stack(_ value: ValueID, _ builder: PlanBuilder) throws(GraphError) -> WeightStack {
        let (index, weight) = try reference(value, builder)
        guard let stack = stacks[index] else {
            throw .weight(name: weight.name, reason: "expected a stack of matrices, found \(weight.dims)")
        }
        return stack
    }

    private func makeStack(_ index: Int) throws(GraphError) -> WeightStack {
        let weight = graph.weights[index]
        var bases: [UnsafePointer<UInt8>?] = unsafe []
        var blockScales: [UnsafePointer<Float>?] = unsafe []
        for part in 0..<weight.dims[0] {
            let matrix = try productMatrix(index, part: part)
            unsafe bases.append(matrix.base.assumingMemoryBound(to: UInt8.self))
            unsafe blockScales.append(matrix.blockScales?.values)
        }
        return unsafe WeightStack(
            prototype: try productMatrix(index, part: 0), bases: UnsafePointer(owner.keep(bases)),
            scales: weight.blockScales.isEmpty ? nil : UnsafePointer(owner.keep(blockScales)))
    }

    /// The first head's matrix and the bytes to the next one.
    /// - Parameter isTransposed: whether products run along the stored rows, as they lie in the file.
    func heads(
        _ value: ValueID, isTransposed: Bool, _ builder: PlanBuilder
    ) throws(GraphError) -> (first: MatrixWeight, headBytes: Int) {
        func part(_ index: Int, _ part: Int) throws(GraphError) -> MatrixWeight {
            isTransposed ? try matrix(index, part: part) : try productMatrix(index, part: part)
        }
        let (index, weight) = try reference(value, builder)
        guard weight.blockScales.isEmpty else {
            throw .weight(name: weight.name, reason: "per-head matrices take no block scales: expand them first")
        }
        let first = try part(index, 0)
        var distance = first.rowBytes * first.rows
        for head in 1..<max(1, weight.dims[0]) {
            let matrix = try part(index, head)
            let found = unsafe matrix.base - first.base
            if head == 1 { distance = found }
            guard found == distance * head else {
                throw .weight(name: weight.name, reason: "expected equally spaced matrices, found \(found) at \(head)")
            }
        }
        return (first, distance)
    }
}

/// The address of memory that the workers of one call share.
@unsafe private struct SharedAddress: @unchecked Sendable {
    let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) { unsafe self.address = unsafe address }
}
