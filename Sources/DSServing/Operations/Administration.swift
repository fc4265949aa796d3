/// What the routes under `/admin` do.
package struct Administration: Sendable {
    /// Reads keys, certificates and models again.
    package var reload: @Sendable () async -> ReloadReport
    /// Stops the server as SIGTERM does.
    package var drain: @Sendable () -> Void

    package init(reload: @escaping @Sendable () async -> ReloadReport, drain: @escaping @Sendable () -> Void) {
        self.reload = reload
        self.drain = drain
    }
}
