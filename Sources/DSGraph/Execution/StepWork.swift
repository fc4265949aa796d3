package import DSKernels
internal import DSTensor

/// The least that a step must read from memory and compute, whoever computes it. Activations, which stay in caches, do not count.
package struct StepWork: Sendable, Equatable {
    package var bytes: Double
    /// A multiplication and an addition are two.
    package var operations: Double
    /// The arithmetic in which the operations can be done fastest.
    package var arithmetic: Roofline.Arithmetic

    package init(bytes: Double = 0, operations: Double = 0, arithmetic: Roofline.Arithmetic = .fp32) {
        self.bytes = bytes
        self.operations = operations
        self.arithmetic = arithmetic
    }

    /// `count` matrices, each read once, times `rows` rows.
    init(_ weight: MatrixWeight, matrices count: Int, rows: Int) {
        let size = Double(weight.rows) * Double(weight.columns)
        self.init(
            bytes: rows > 0 ? Double(count) * Double(weight.rows) * Double(weight.rowBytes) : 0,
            operations: 2 * size * Double(rows),
            arithmetic: weight.dtype.isBlockQuantized ? .int8 : weight.dtype == .bf16 ? .bf16 : .fp32)
    }

    /// Seconds that the machine needs for it at least.
    package func seconds(on roofline: Roofline) -> Double {
        max(
            bytes / roofline.readBandwidth,
            operations / (roofline.peaks[arithmetic] ?? roofline.peaks[.fp32] ?? .infinity))
    }
}
