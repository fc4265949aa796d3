import HTTPTypes
import Hummingbird

/// What clients call their requests.
package enum RequestNames {
    /// The request's `x-request-id`, if that can stand in a header, in an id and in a log line.
    static func name(of request: Request) -> String? {
        request.headers[.requestID].flatMap { isUsable($0) ? $0 : nil }
    }

    package static func isUsable(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { (33...126).contains($0) }
    }
}
