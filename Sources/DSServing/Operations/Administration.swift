/// What the routes under `/admin` do.
package struct Administration: Sendable {
    /// Reads keys, certificates and models again; returns what could not be read.
    package var reload: @Sendable () async -> [String]
    /// Stops the server as SIGTERM does.
    package var drain: @Sendable () -> Void

    package init(reload: @escaping @Sendable () async -> [String], drain: @escaping @Sendable () -> Void) {
        self.reload = reload
        self.drain = drain
    }
}
