internal import DSKernels
internal import DSSupport
internal import DSTensor

/// Weights as host kernels read them: vectors become aligned f32; matrices stay where they are mapped, and those that the graph
/// calls relocatable get copies beside them with sixteen rows interleaved, which products read several times faster. Where a copy
/// changes no bit of a result, it is made between runs.
@safe final class CPUWeights: BoundWeights, @unchecked Sendable {
    // SAFETY: changed by `copy` only, which the executor's thread calls between two runs; `graph` keeps mapped bytes alive,
    // `owner` the converted vectors and the tables, and copies stay where they are.

    private let graph: Graph
    private let owner = PlanOwner()
    private let vectors: [Int: UnsafePointer<Float>]
    private let constants: [Int: UnsafePointer<Float>]
    private let scales: [Int: [UnsafePointer<Float>]]
    private var stacks: [Int: WeightStack] = [:]
    /// Finished interleaved copies of relocatable weights: their matrices in order.
    private var interleaved: [Int: [MatrixWeight]] = [:]
    private var interleavedStacks: [Int: WeightStack] = [:]
    private var interleaving: InterleavedCopies?
    /// Why there are no copies although the graph allows them.
    private(set) var note: String?

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
        for node in graph.nodes {
            guard case .weight(let index) = node.op, graph.weights[index].dims.count == 3 else { continue }
            let matrices = try (0..<graph.weights[index].dims[0]).map { part throws(GraphError) in
                try matrix(index, part: part)
            }
            stacks[index] = stack(of: matrices)
        }
        try startCopies(kernels, pool, reservedBytes)
    }

    /// Copies now what would change results if it were copied later.
    private func startCopies(_ kernels: KernelSet, _ pool: ThreadPool, _ reservedBytes: Int) throws(GraphError) {
        let relocatable = Self.relocatable(graph, kernels)
        func isEager(_ index: Int) -> Bool { !kernels.interleavingKeepsBits(graph.weights[index].dtype) }
        var sources: [InterleavedCopies.Source] = []
        for (index, byteCount) in relocatable.filter({ isEager($0.index) }) + relocatable.filter({ !isEager($0.index) })
        {
            let matrices = try (0..<graph.weights[index].matrixCount).map { part throws(GraphError) in
                try matrix(index, part: part)
            }
            sources.append(InterleavedCopies.Source(index: index, byteCount: byteCount, matrices: matrices))
        }
        guard !sources.isEmpty else { return }
        interleaving = InterleavedCopies(sources, reservedBytes: reservedBytes, kernels: kernels, pool: pool)
        guard let interleaving else {
            let byteCount = sources.reduce(0) { $0 + $1.byteCount }
            let available = SystemMemory.available ?? .max
            note =
                "the weights stay as they are mapped, which is slower: there is no memory for \(byteCount) bytes of copies "
                + "beside \(reservedBytes) bytes of cache (\(available) bytes are available)"
            return
        }
        while let next = interleaving.next, isEager(next) { _ = advance(interleaving) }
    }

    var copies: CopyProgress { interleaving?.progress ?? CopyProgress() }

    func copy(for time: Duration?) -> Bool {
        guard let interleaving, !interleaving.progress.isComplete else { return false }
        let clock = ContinuousClock()
        let start = clock.now
        var isAnyFinished = false
        repeat {
            if advance(interleaving) { isAnyFinished = true }
            if let time, start.duration(to: clock.now) >= time { break }
        } while !interleaving.progress.isComplete
        return isAnyFinished
    }

    /// Copies a piece; whether a weight is finished with it.
    private func advance(_ interleaving: InterleavedCopies) -> Bool {
        guard let (index, matrices) = interleaving.advance() else {
            if interleaving.abandonedBytes > 0 {
                note =
                    "\(interleaving.abandonedBytes) bytes of weights stay as they are mapped, which is slower: memory became "
                    + "short while they were copied"
            }
            return false
        }
        interleaved[index] = matrices
        if graph.weights[index].dims.count == 3 { interleavedStacks[index] = stack(of: matrices) }
        return true
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
        let mapped = try matrix(value, builder)
        guard let index = builder.weightIndex(of: value), let copies = interleaved[index] else { return mapped }
        return copies[0]
    }

    /// Matrices that one product may read together: in the same layout if they have the same format.
    func products(
        _ first: ValueID, _ second: ValueID, _ builder: PlanBuilder
    ) throws(GraphError) -> (MatrixWeight, MatrixWeight) {
        let pair = (try product(first, builder), try product(second, builder))
        guard pair.0.dtype == pair.1.dtype, pair.0.isInterleaved != pair.1.isInterleaved else { return pair }
        return (try matrix(first, builder), try matrix(second, builder))
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
        let (index, mapped) = try mappedStack(value, builder)
        return interleavedStacks[index] ?? mapped
    }

    /// As `products`.
    func stacks(
        _ first: ValueID, _ second: ValueID, _ builder: PlanBuilder
    ) throws(GraphError) -> (WeightStack, WeightStack) {
        let pair = (try stack(first, builder), try stack(second, builder))
        let (one, other) = (pair.0.prototype, pair.1.prototype)
        guard one.dtype == other.dtype, one.isInterleaved != other.isInterleaved else { return pair }
        return (try mappedStack(first, builder).stack, try mappedStack(second, builder).stack)
    }

    private func mappedStack(
        _ value: ValueID, _ builder: PlanBuilder
    ) throws(GraphError) -> (index: Int, stack: WeightStack) {
        let (index, weight) = try reference(value, builder)
        guard let stack = stacks[index] else {
            throw .weight(name: weight.name, reason: "expected a stack of matrices, found \(weight.dims)")
        }
        return (index, stack)
    }

    private func stack(of matrices: [MatrixWeight]) -> WeightStack? {
        guard let first = matrices.first else { return nil }
        let bases = unsafe matrices.map { unsafe Optional($0.base.assumingMemoryBound(to: UInt8.self)) }
        let scales = unsafe matrices.map { unsafe $0.blockScales?.values }
        return unsafe WeightStack(
            prototype: first, bases: UnsafePointer(owner.keep(bases)),
            scales: first.blockScales == nil ? nil : UnsafePointer(owner.keep(scales)))
    }

    /// The first head's matrix and the bytes to the next one.
    /// - Parameter isTransposed: whether products run along the stored rows, as they lie in the file.
    func heads(
        _ value: ValueID, isTransposed: Bool, _ builder: PlanBuilder
    ) throws(GraphError) -> (first: MatrixWeight, headBytes: Int) {
        func part(_ index: Int, _ part: Int) throws(GraphError) -> MatrixWeight {
            if !isTransposed, let copies = interleaved[index] { return copies[part] }
            return try matrix(index, part: part)
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
