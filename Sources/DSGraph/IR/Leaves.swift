package import DSTensor

/// A leaf that the caller binds at each step.
package enum InputKind: Hashable, Sendable {
    /// `[T]` i32.
    case tokenIDs
    /// `[T]` i32: position of each row in its sequence.
    case positions
    /// `[T]` i32: cache row that each token writes.
    case slots
    /// `[S]` i32: rows of this step whose logits are wanted.
    case sampledRows
    /// Any other input, found by its name (hidden states of a drafter, inputs of an imported network).
    case tensor(name: String)
}

package struct GraphInput: Hashable, Sendable {
    package let kind: InputKind
    package let type: ValueType
}

/// One leaf of explicit state: the rows of the key-value cache of one layer.
package struct StateSpec: Hashable, Sendable {
    package let name: String
    /// Element type of the cache: f32, f16, bf16 or q8_0.
    package let dtype: DType
    /// Elements per token.
    package let rowWidth: Int
    /// Elements of the parts that a row repeats: a kv head, or a latent and its rotated key. Blocks of a quantised type
    /// lie inside a part.
    package let parts: [Int]

    /// - Parameter parts: nil stands for a row that is one part.
    package init(name: String, dtype: DType, rowWidth: Int, parts: [Int]? = nil) {
        self.name = name
        self.dtype = dtype
        self.rowWidth = rowWidth
        self.parts = parts ?? [rowWidth]
    }

    /// Elements of the first part that is not a whole number of the type's blocks.
    package var unfitPart: Int? { parts.first { dtype.rowBytes($0) == nil } }
    /// Bytes per token; nil if the type's blocks do not fill the parts.
    package var rowBytes: Int? { unfitPart == nil ? dtype.rowBytes(rowWidth) : nil }
}

/// A weight as the graph sees it: a name, its logical dimensions, and the mapped tensors that hold it.
///
/// Quantisation lives here and nowhere else: an operation takes a `WeightRef` and never asks for its format. A stack
/// (`[E, N, K]` for experts, `[H, N, K]` for per-head matrices) is one 3-D tensor or a list of 2-D tensors: no copy.
package struct WeightRef: Sendable {
    package let name: String
    /// `[K]` for vectors, `[N, K]` for matrices (N outputs), `[E, N, K]` for stacks.
    package let dims: [Int]
    /// One tensor, or one 2-D tensor per matrix of a stack.
    package let parts: [Tensor]
    /// Scales of block-scaled FP8 checkpoints: one 2-D f32 tensor per part.
    package let blockScales: [Tensor]
    /// Rows and columns that one scale covers; set when `blockScales` is not empty.
    package let scaleBlock: ScaleBlock?

    package struct ScaleBlock: Hashable, Sendable {
        package let rows: Int
        package let columns: Int

        package init(rows: Int, columns: Int) {
            self.rows = rows
            self.columns = columns
        }
    }

    package init(name: String, tensor: Tensor, blockScales: Tensor? = nil, scaleBlock: ScaleBlock? = nil) {
        self.name = name
        dims = tensor.shape.dimensions
        parts = [tensor]
        self.blockScales = blockScales.map { [$0] } ?? []
        self.scaleBlock = scaleBlock
    }

    /// A stack of equally shaped 2-D tensors.
    package init(
        name: String, stack: [Tensor], blockScales: [Tensor] = [], scaleBlock: ScaleBlock? = nil
    ) throws(GraphError) {
        guard let first = stack.first else {
            throw .weight(name: name, reason: "a stack needs at least one matrix, found none")
        }
        for (index, part) in stack.enumerated()
        where part.shape.dimensions != first.shape.dimensions || part.dtype != first.dtype
            || part.shape.dimensions.count != 2
        {
            throw .weight(
                name: name,
                reason: "matrix \(index) of the stack: expected \(first.dtype)\(first.shape.dimensions), "
                    + "found \(part.dtype)\(part.shape.dimensions)")
        }
        self.name = name
        dims = [stack.count] + first.shape.dimensions
        parts = stack
        self.blockScales = blockScales
        self.scaleBlock = scaleBlock
    }

    package var dtype: DType { parts[0].dtype }
    /// Outputs per matrix.
    package var rows: Int { dims.count > 1 ? dims[dims.count - 2] : 1 }
    /// Inputs per matrix.
    package var columns: Int { dims[dims.count - 1] }
    package var matrixCount: Int { dims.dropLast(2).reduce(1, *) }
    package var type: ValueType { ValueType(dtype, dims.map(Dim.fixed)) }
    package var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }
}
