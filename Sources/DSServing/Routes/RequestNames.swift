import HTTPTypes
import Hummingbird

/// What clients call their requests.
enum RequestNames {
    /// The request's `x-request-id`, if that can stand in a header, in an id and in a log line.
    static func name(of request: Request) -> String? {
        guard let name = request.headers[.requestID], (1...128).contains(name.utf8.count),
            name.utf8.allSatisfy({ (33...126).contains($0) })
        else { return nil }
        return name
    }
}
