internal import CDSKernels
internal import DSSupport

/// What this machine can do at most with some number of threads, measured: the limits with which kernels are compared.
package struct Roofline: Sendable, Equatable {
    package enum Arithmetic: String, CaseIterable, Sendable {
        case fp32, bf16, int8

        var code: Int32 {
            switch self {
            case .fp32: Int32(CK_PEAK_FP32)
            case .bf16: Int32(CK_PEAK_BF16)
            case .int8: Int32(CK_PEAK_INT8)
            }
        }
    }

    package let threads: Int
    /// Bytes per second that the threads read from memory together.
    package let readBandwidth: Double
    /// Bytes that were read in each pass. Half as many were not read faster, so that caches play no part.
    package let bufferBytes: Int
    /// Operations per second of all threads, a multiplication and an addition being two; without the kinds for which the
    /// processor has no instruction.
    package let peaks: [Arithmetic: Double]

    package init(threads: Int, readBandwidth: Double, bufferBytes: Int, peaks: [Arithmetic: Double]) {
        self.threads = threads
        self.readBandwidth = readBandwidth
        self.bufferBytes = bufferBytes
        self.peaks = peaks
    }

    /// Measures for about a second.
    package static func measure(_ kernels: KernelSet, threads: Int) throws(KernelError) -> Roofline {
        let pool = try ThreadPool(threadCount: threads)
        let tier = kernels.tier.code
        var peaks: [Arithmetic: Double] = [:]
        for kind in Arithmetic.allCases { peaks[kind] = peak(tier, kind, pool) }
        let (rate, bytes) = bandwidth(tier, pool)
        return Roofline(threads: threads, readBandwidth: rate, bufferBytes: bytes, peaks: peaks)
    }

    /// The greater of both for each limit: other guests of a machine take a share that changes from second to second.
    package func combined(with other: Roofline) -> Roofline {
        Roofline(
            threads: threads, readBandwidth: max(readBandwidth, other.readBandwidth), bufferBytes: bufferBytes,
            peaks: peaks.merging(other.peaks) { max($0, $1) })
    }

    private static let passes = 3

    private static func peak(_ tier: Int32, _ kind: Arithmetic, _ pool: ThreadPool) -> Double? {
        let rounds: Int64 = 1 << 23
        var sink: Float = 0
        let operations = unsafe ck_peak(tier, kind.code, 1, &sink) * rounds
        guard operations > 0 else { return nil }
        let seconds = fastest {
            pool.run { _ in
                var sink: Float = 0
                _ = unsafe ck_peak(tier, kind.code, rounds, &sink)
            }
        }
        return Double(operations) * Double(pool.threadCount) / seconds
    }

    /// Reads ever larger buffers until one is not read more slowly than the last.
    private static func bandwidth(_ tier: Int32, _ pool: ThreadPool) -> (rate: Double, bytes: Int) {
        var bytes = 128 << 20
        var rate = readRate(tier, bytes, pool)
        let most = min(2 << 30, (SystemMemory.available ?? .max) / 2)
        while bytes * 2 <= most {
            bytes *= 2
            let larger = readRate(tier, bytes, pool)
            defer { rate = larger }
            if larger > 0.9 * rate { return (larger, bytes) }
        }
        return (rate, bytes)
    }

    private static func readRate(_ tier: Int32, _ bytes: Int, _ pool: ThreadPool) -> Double {
        guard let memory = try? AnonymousMemory(byteCount: bytes) else { return 0 }
        defer { withExtendedLifetime(memory) {} }
        let part = bytes / pool.threadCount / 4096 * 4096
        let base = unsafe SharedBytes(address: UInt(bitPattern: memory.base))
        // Pages that nobody wrote are all the same zeros.
        pool.run { share in
            unsafe UnsafeMutableRawBufferPointer(start: base.pointer(at: share.worker * part), count: part)
                .initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: share.worker + 1))
        }
        let seconds = fastest {
            pool.run { share in
                _ = unsafe ck_read(
                    tier, base.pointer(at: share.worker * part)!.assumingMemoryBound(to: UInt8.self), Int64(part))
            }
        }
        return Double(part * pool.threadCount) / seconds
    }

    /// Seconds of the fastest of some passes, after one that does not count.
    private static func fastest(_ body: () -> Void) -> Double {
        let clock = ContinuousClock()
        body()
        return (0..<passes).map { _ in clock.measure(body) / .seconds(1) }.min() ?? .infinity
    }
}

/// The address of memory that workers share while `readRate` holds it.
private struct SharedBytes: Sendable {
    let address: UInt

    func pointer(at offset: Int) -> UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: address + UInt(offset))
    }
}
