import DSObservability
import DSServing
import Hummingbird
import HummingbirdTesting
import Logging
import Metrics
import Testing

@Suite("Metrics of the server") struct MetricsTests {
    /// Samples of the page that a server with this configuration serves.
    private func page(
        _ configuration: DeepSeekServer.Configuration, after uris: [String] = []
    ) async throws -> [Substring] {
        let server = DeepSeekServer(
            catalog: ModelCatalog([]), configuration: configuration, logger: Logger(label: "test"))
        return try await Application(router: server.router(ClientConnections())).test(.router) { client in
            for uri in uris { _ = try await client.execute(uri: uri, method: .get) }
            let body = try await client.execute(uri: "/metrics", method: .get).body
            return String(buffer: body).split(separator: "\n")
        }
    }

    @Test func requestsAreCountedByRoute() async throws {
        let page = try await page(.init(), after: ["/v1/models", "/nowhere", "/nowhere", "/health"])
        let labels = #"service="deepseek",handler="#
        for line in [
            "http_requests_total{\(labels)\"/v1/models\",method=\"GET\",status=\"200\"} 1.0",
            "http_requests_total{\(labels)\"none\",method=\"GET\",status=\"404\"} 2.0",
            "http_request_duration_seconds_count{\(labels)\"none\",method=\"GET\"} 2.0",
            // The scrape itself.
            "http_requests_in_progress{service=\"deepseek\"} 1.0",
            "# TYPE http_requests_in_progress gauge", "# TYPE http_requests_total counter",
        ] { #expect(page.contains { $0 == line }, "\(line)") }
        let bounds = page.filter { $0.hasPrefix("http_request_duration_seconds_bucket") && $0.contains("none") }
        #expect(bounds.count == 17 && bounds.first?.contains("le=\"0.005\"") == true)
        #expect(!page.contains { $0.contains("\"/health\"") || $0.contains("\"/metrics\"") })
    }

    /// What Hummingbird's own middleware counts, of another application in the same program.
    @Test func librariesAreOnThePage() async throws {
        let configuration = DeepSeekServer.Configuration()
        try await withMetricsFactory(configuration.observability.collector) {
            let router = Router()
            router.add(middleware: MetricsMiddleware())
            router.get("/thing/:id") { _, _ in "ok" }
            try await Application(router: router).test(.router) { client in
                _ = try await client.execute(uri: "/thing/1", method: .get)
            }
        }
        let page = try await page(configuration)
        let labels = #"http_route="/thing/{id}",http_request_method="GET",http_response_status_code="200""#
        for line in [
            "hb_requests_total{\(labels)} 1.0",
            "http_server_request_duration_seconds_count{\(labels)} 1.0",
            "http_server_active_requests{http_request_method=\"GET\"} 0.0",
        ] { #expect(page.contains { $0 == line }, "\(line) in \(page.filter { $0.contains("thing") })") }
    }
}
