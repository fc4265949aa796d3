/// What one client may cost before its requests are looked at.
package struct ConnectionLimits: Sendable {
    /// Connections beyond this number get 503 for everything but probes.
    package var connections: Int
    /// Seconds within which the whole of a request must have come, however steadily it drips.
    package var requestSeconds: Int

    package init(connections: Int, requestSeconds: Int) {
        self.connections = connections
        self.requestSeconds = requestSeconds
    }
}
