/// Why a request of the V2 inference protocol failed. HTTP and gRPC have their own codes for each kind.
package struct InferenceError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The request is wrong.
        case invalidArgument
        /// No such model, version, region, …
        case notFound
        /// Not now: the model is not loaded, or a queue is full.
        case unavailable
        case unsupported
        case alreadyExists
        /// The request waited too long.
        case deadlineExceeded
        case internalFailure
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package static func invalid(_ message: String) -> InferenceError { InferenceError(.invalidArgument, message) }

    package var description: String { message }
}
