import AsyncHTTPClient
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why there is no connection, or no longer one, in words for a person: the libraries' own describe their insides.
enum ConnectionReason {
    private static let refused = "no server there: connection refused"

    static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError: text(code: error.errnoCode)
        case let error as NIOConnectionError: text(connecting: error)
        case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "the server closed the connection"
        default: "\(error)"
        }
    }

    private static func text(code: CInt) -> String {
        if code == ECONNREFUSED { return refused }
        return strerror(code).map { String(cString: $0) } ?? "system error \(code)"
    }

    /// A name may have several addresses, some out of this machine's reach: one that refused says most.
    private static func text(connecting error: NIOConnectionError) -> String {
        let reasons = error.connectionErrors.map { text($0.error) }
        if let first = reasons.first { return reasons.contains(refused) ? refused : first }
        let isUnknown = error.dnsAError != nil || error.dnsAAAAError != nil
        return isUnknown ? "no address for the host '\(error.host)'" : "\(error)"
    }
}
