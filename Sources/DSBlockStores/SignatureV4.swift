internal import Crypto
import DSSupport
internal import Foundation

/// AWS Signature Version 4, as S3 and everything that speaks its API expects it in the `Authorization` header.
package struct SignatureV4: Sendable {
    package struct Credentials: Sendable, Equatable {
        package var accessKey: String
        package var secretKey: String
        package var sessionToken: String?

        package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.sessionToken = sessionToken
        }
    }

    package let credentials: Credentials
    package let region: String
    package let service: String

    package init(credentials: Credentials, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The headers to send, `Authorization` among them, by lower-case name.
    /// - Parameters:
    ///   - path: already percent-encoded.
    ///   - payloadDigest: SHA-256 of the body in hexadecimal digits.
    ///   - seconds: since 1970.
    package func headers(
        method: String, host: String, path: String, payloadDigest: String, seconds: Int
    ) -> [(name: String, value: String)] {
        let (day, time) = Self.timestamp(seconds)
        var headers = [
            (name: "host", value: host), (name: "x-amz-content-sha256", value: payloadDigest),
            (name: "x-amz-date", value: time),
        ]
        if let token = credentials.sessionToken { headers.append((name: "x-amz-security-token", value: token)) }
        let names = headers.map(\.name).joined(separator: ";")
        let canonical =
            ([method, path, ""] + headers.map { "\($0.name):\($0.value)" } + ["", names, payloadDigest])
            .joined(separator: "\n")
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time, scope, SHA256.hash(data: Data(canonical.utf8)).hexadecimal]
            .joined(separator: "\n")
        var key = SymmetricKey(data: Data("AWS4\(credentials.secretKey)".utf8))
        for part in [day, region, service, "aws4_request"] {
            key = SymmetricKey(data: Data(HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: key)))
        }
        let signature = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key).hexadecimal
        headers.append(
            (
                name: "authorization",
                value: "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), "
                    + "Signature=\(signature)"
            ))
        return headers
    }

    /// `20261121` and `20261121T180000Z`.
    static func timestamp(_ seconds: Int) -> (day: String, time: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .gmt
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: Double(seconds)))
        func two(_ value: Int?) -> String {
            let text = String(value ?? 0)
            return text.utf8.count < 2 ? "0" + text : text
        }
        let day = String(parts.year ?? 1970) + two(parts.month) + two(parts.day)
        return (day, "\(day)T\(two(parts.hour))\(two(parts.minute))\(two(parts.second))Z")
    }
}
