internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Where log lines go, one whole line at a time.
package struct LogOutput: Sendable {
    private let writeLine: @Sendable ([UInt8]) -> Void

    /// - Parameter writeLine: is called with a line and its end, by any thread.
    package init(_ writeLine: @escaping @Sendable ([UInt8]) -> Void) { self.writeLine = writeLine }

    package func write(_ line: [UInt8]) { writeLine(line) }

    /// Lines of several threads do not mix.
    package static let standardError: LogOutput = {
        final class Lock: Sendable { let mutex = Mutex(()) }
        let lock = Lock()
        return LogOutput { line in
            lock.mutex.withLock { _ in
                unsafe line.withUnsafeBytes { bytes in
                    var written = 0
                    while written < bytes.count {
                        let count = unsafe Self.write(bytes, from: written)
                        // Nobody reads the log: there is no one to tell, and serving goes on.
                        guard count > 0 else { return }
                        written += count
                    }
                }
            }
        }
    }()

    private static func write(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        while true {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            #if canImport(Glibc)
                let count = unsafe Glibc.write(2, rest.baseAddress, rest.count)
            #elseif canImport(Musl)
                let count = unsafe Musl.write(2, rest.baseAddress, rest.count)
            #else
                let count = unsafe Darwin.write(2, rest.baseAddress, rest.count)
            #endif
            if count < 0, errno == EINTR { continue }
            return count
        }
    }
}
