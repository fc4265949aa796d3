package import Hummingbird
package import NIOCore

/// Hummingbird's context of one request, with the connection that it came over.
package struct ServingContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's connection, so that work can stop when it closes.
    package let channel: any Channel

    /// The name by which client and log know the request.
    package var requestID = ""

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
