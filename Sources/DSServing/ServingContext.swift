package import Hummingbird
package import NIOCore

/// Hummingbird's context of one request, with the connection that it came over and who sent it.
package struct ServingContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's connection, so that work can stop when it closes.
    package let channel: any Channel
    /// Whose key came with the request; nil: none was asked for.
    package var tenant: Tenant?
    /// Whether the client may see models' names and figures on routes that everybody may ask.
    package var mayReadFigures = true
    /// What is known about the request.
    package let record = RequestRecord()

    package init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
