package import HTTPTypes

/// Which scope a route needs. Every path needs one that is not listed here as open: a route that is added later is closed
/// by itself.
package struct AccessRule: Sendable {
    /// Whether `/metrics` is open to everybody.
    package var metricsAreOpen = false

    package init(metricsAreOpen: Bool = false) { self.metricsAreOpen = metricsAreOpen }

    /// What probes ask, which hold no key.
    private static let openPaths: Set<String> = Set(
        HealthMonitor.Question.paths + ["/v2/health/live", "/v2/health/ready"])

    /// Nil: everybody may.
    package func scope(for method: HTTPRequest.Method, path: String) -> APIKey.Scope? {
        if Self.openPaths.contains(path), method == .get || method == .head { return nil }
        if path == "/metrics" { return metricsAreOpen ? nil : .metrics }
        if Self.isAdministration(method, path) { return .admin }
        return .inference
    }

    private static func isAdministration(_ method: HTTPRequest.Method, _ path: String) -> Bool {
        if path == "/admin" || path.hasPrefix("/admin/") { return true }
        if path.hasPrefix("/v2/repository/") { return !path.hasSuffix("/index") }
        let settings = path == "/v2/logging" || path == "/v2/trace/setting" || path.hasSuffix("/trace/setting")
        return settings && method != .get && method != .head
    }
}
