import DSFormats
import DSKernels
import DSTensor
import DSTestSupport
import Testing

/// The goldens of `Tests/Goldens/kernels/make_goldens.py`.
struct Goldens {
    private let file: SafetensorsFile

    init(path: String = #filePath) throws {
        let tests = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        file = try SafetensorsFile(path: tests + "/Goldens/kernels/kernels.safetensors")
    }

    func floats(_ name: String) throws -> [Float] { try file.tensor(named: name).floats() }

    func integers(_ name: String) throws -> [Int32] { try file.tensor(named: name).integers() }

    func bytes(_ name: String) throws -> [UInt8] { try file.tensor(named: name).withUnsafeBytes { Array($0) } }

    func shape(_ name: String) throws -> [Int] { try file.tensor(named: name).shape.dimensions }
}

/// A weight matrix with random contents that every kernel can multiply: finite scales of ordinary size.
struct RandomWeight {
    let dtype: DType
    let rows: Int
    let columns: Int
    var bytes: [UInt8]

    /// The half-precision scales of a block.
    private static func scaleOffsets(_ dtype: DType) -> [Int] {
        switch dtype {
        case .q4_0, .q5_0, .q8_0, .iq4NL, .iq4XS: [0]
        case .q4_1, .q5_1, .q4K, .q5K: [0, 2]
        case .q2K: [80, 82]
        case .q3K: [108]
        case .q6K: [208]
        default: []
        }
    }

    init(_ dtype: DType, rows: Int, columns: Int, seed: UInt64) {
        var numbers = SplitMix(seed: seed)
        self.dtype = dtype
        self.rows = rows
        self.columns = columns
        let count = rows * columns / dtype.blockElements
        bytes = [UInt8](repeating: 0, count: count * dtype.blockBytes)
        if !dtype.isBlockQuantized {
            let values = numbers.floats(rows * columns, scale: 0.1)
            bytes.withUnsafeMutableBytes { out in
                _ = RowConversion.quantize(dtype, from: values, to: out.baseAddress!, count: values.count)
            }
            return
        }
        for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &numbers) }
        for block in 0..<count {
            let start = block * dtype.blockBytes
            for offset in RandomWeight.scaleOffsets(dtype) {
                let scale = Float16(Float.random(in: 0.001...0.01, using: &numbers)).bitPattern
                bytes[start + offset] = UInt8(scale & 255)
                bytes[start + offset + 1] = UInt8(scale >> 8)
            }
            if dtype == .mxfp4 { bytes[start] = UInt8.random(in: 110...120, using: &numbers) }
        }
    }

    func withMatrix<Result>(_ body: (MatrixWeight) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes {
            try body(MatrixWeight(base: $0.baseAddress!, dtype: dtype, rows: rows, columns: columns))
        }
    }
}

/// Activation rows in the format that `kernels` wants for `dtype`.
struct Activations {
    let format: ActivationFormat
    let stride: Int
    var bytes: [UInt8]

    init(_ kernels: KernelSet, _ values: [Float], rows: Int, columns: Int, for dtype: DType) {
        format = kernels.activationFormat(for: dtype)
        stride = format.rowBytes(columns)
        bytes = [UInt8](repeating: 0, count: rows * stride)
        bytes.withUnsafeMutableBytes { out in
            guard let output = out.baseAddress else { return }
            values.withUnsafeBufferPointer { input in
                guard let base = input.baseAddress else { return }
                WorkShare.withSerial { share in
                    kernels.quantizeRows(
                        QuantizeRowsArguments(
                            input: base, output: output, rowCount: rows, columns: columns, format: format),
                        share: share)
                }
            }
        }
    }
}

/// The greatest difference relative to the greatest expected magnitude.
func relativeError(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    var error: Float = 0
    var size: Float = 0
    for (x, y) in zip(found, expected) {
        let difference = abs(x - y)
        guard difference.isFinite else { return .infinity }
        error = max(error, difference)
        size = max(size, abs(y))
    }
    return size == 0 ? error : error / size
}

/// Calls `body` once per worker of an imagined pool of `count`, one after the other.
func forEachShare(of count: Int, _ body: (WorkShare) -> Void) {
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: WorkShare.scratchByteCount, alignment: 64)
    defer { scratch.deallocate() }
    for worker in 0..<count { body(WorkShare(worker: worker, count: count, scratch: scratch)) }
}

/// The tiers that this machine can run.
let tiers = KernelSet.available

func kernels(_ tier: KernelTier) throws -> KernelSet { try #require(KernelSet.forTier(tier)) }
