#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A system call of the server's socket that failed.
package struct SocketFailure: Error, CustomStringConvertible {
    package let code: Int32

    package var description: String {
        let system = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "unknown error"
        let reason = code == EADDRINUSE ? "the port is in use" : system
        return "\(reason) (errno \(code))"
    }
}
