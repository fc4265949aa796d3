import Hummingbird
import NIOCore

extension Request {
    /// The whole body; larger ones and compressed ones are refused.
    func bodyBytes(limit: Int) async throws -> [UInt8] {
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw APIError.invalid("content-encoding: expected an uncompressed body, found '\(encoding)'")
        }
        // Refused before it is sent.
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw NIOTooManyBytesError(maxBytes: limit)
        }
        do {
            let buffer = try await body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            // A client that went away or broke the framing: nothing failed here.
            throw APIError.invalid("The body: expected a complete HTTP message, found a failure: \(error)")
        }
    }
}
