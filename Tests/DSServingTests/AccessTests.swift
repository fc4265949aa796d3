import DSServing
import DSSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Testing

@Suite struct AccessTests {
    private static let keys = [
        APIKey(name: "user", secret: "sk-user", scopes: [.inference]),
        APIKey(name: "scraper", secret: "sk-metrics", scopes: [.metrics]),
        APIKey(name: "admin", secret: "sk-admin", scopes: [.inference, .metrics, .admin]),
    ]

    private func server(_ keys: [APIKey]) -> DeepSeekServer {
        DeepSeekServer(
            catalog: ModelCatalog([]), configuration: .init(), keys: KeyStore(keys),
            administration: Administration(reload: { ReloadReport() }, drain: {}), logger: Logger(label: "test"))
    }

    /// Every route that exists, and some that do not: new routes are in here by themselves.
    private func everyRoute(_ server: DeepSeekServer) -> [(HTTPRequest.Method, String)] {
        let known = server.router(ClientConnections()).routes.map { route in
            (route.method, route.path.description.replacing(":", with: ""))
        }
        let others = [
            "/", "/invocations", "/v1", "/v1/nothing", "//health", "/health/", "/health/x", "/HEALTH", "/docs",
        ]
        return known + others.flatMap { [(.get, $0), (.post, $0)] }
    }

    @Test func everyRouteNeedsAKeyButProbes() async throws {
        let open: Set = [
            "/health", "/healthz", "/livez", "/ping", "/ready", "/readyz", "/v2/health/live", "/v2/health/ready",
        ]
        let server = server(Self.keys)
        let routes = everyRoute(server)
        #expect(routes.count > 40)
        let application = Application(router: server.router(ClientConnections()))
        try await application.test(.router) { client in
            for (method, path) in routes {
                let isOpen = open.contains(path) && (method == .get || method == .head)
                for headers in [HTTPFields(), [.authorization: "Bearer sk-wrong"], [.authorization: "Basic sk-user"]] {
                    let answer = try await client.execute(uri: path, method: method, headers: headers)
                    #expect((answer.status == .unauthorized) != isOpen, "\(method) \(path): \(answer.status)")
                    if answer.status == .unauthorized {
                        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                    }
                }
                let answer = try await client.execute(
                    uri: path, method: method, headers: [.authorization: "Bearer sk-admin"])
                #expect(answer.status != .unauthorized && answer.status != .forbidden, "\(method) \(path)")
            }
        }
    }

    @Test func scopesDoNotReachFurther() async throws {
        let application = Application(router: server(Self.keys).router(ClientConnections()))
        try await application.test(.router) { client in
            func status(_ method: HTTPRequest.Method, _ path: String, _ key: String) async throws -> Int {
                try await client.execute(uri: path, method: method, headers: [.authorization: "bearer \(key)"]).status
                    .code
            }
            #expect(try await status(.post, "/admin/reload", "sk-user") == 403)
            #expect(try await status(.post, "/admin/reload", "sk-admin") == 200)
            #expect(try await status(.post, "/v2/repository/models/m/load", "sk-user") == 403)
            #expect(try await status(.get, "/metrics", "sk-user") == 403)
            #expect(try await status(.get, "/metrics", "sk-metrics") != 403)
            #expect(try await status(.get, "/v1/models", "sk-metrics") == 403)
            #expect(try await status(.get, "/v1/models", "sk-user") == 200)
            let other = try await client.execute(
                uri: "/v1/models", method: .get, headers: [HTTPField.Name("x-api-key")!: "sk-user"])
            #expect(other.status == .ok)
        }
    }

    @Test func withoutKeysAdministrationDoesNotExist() async throws {
        let application = Application(router: server([]).router(ClientConnections()))
        try await application.test(.router) { client in
            let drain = try await client.execute(uri: "/admin/drain", method: .post)
            let models = try await client.execute(uri: "/v1/models", method: .get)
            #expect(drain.status == .notFound && models.status == .ok)
        }
    }

    @Test(arguments: [
        ("/v1/messages", "\"type\":\"error\""), ("/v2/models/m/infer", "{\"error\":\""),
        ("/v1/models", "\"code\":\"invalid_api_key\""),
    ])
    func refusalsHaveTheFormOfTheirAPI(path: String, part: String) async throws {
        let application = Application(router: server(Self.keys).router(ClientConnections()))
        try await application.test(.router) { client in
            let answer = try await client.execute(uri: path, method: .post)
            #expect(answer.status == .unauthorized && String(buffer: answer.body).contains(part))
        }
    }

    @Test func keysAreReplacedAndTenantsKeepWhatTheyUsed() throws {
        let limits = APIKey.Limits(requestsPerMinute: 1)
        let store = KeyStore([APIKey(name: "a", secret: "old", scopes: [.inference], limits: limits)])
        let now = ContinuousClock.now
        try store.grant(for: "old")?.tenant.enter(now: now)
        store.replace(by: [APIKey(name: "a", secret: "new", scopes: [.inference], limits: limits)])
        #expect(store.grant(for: "old") == nil)
        let tenant = try #require(store.grant(for: "new")?.tenant)
        #expect(throws: APIError.self) { try tenant.enter(now: now) }
        #expect(throws: Never.self) { try tenant.enter(now: now + .seconds(61)) }
    }

    @Test func budgetsRefillAndMayBeOverdrawn() {
        let now = ContinuousClock.now
        var budget = RateBudget(perMinute: 60, now: now)
        budget.take(90, now: now)
        let wait = budget.secondsUntilOpen(now: now)
        #expect(wait == 31)
        let isOpenEarlier = budget.isOpen(now: now + .seconds(30))
        #expect(!isOpenEarlier)
        #expect(budget.isOpen(now: now + .seconds(31)) && budget.remaining(now: now + .seconds(31)) == 1)
        #expect(
            budget.remaining(now: now + .seconds(1000)) == 60 && budget.secondsUntilFull(now: now + .seconds(1000)) == 0
        )
    }

    @Test func limitsSayWhenToComeAgain() throws {
        let now = ContinuousClock.now
        let limits = APIKey.Limits(requestsPerMinute: 2, tokensPerMinute: 60, concurrentRequests: 1)
        let tenant = Tenant(name: "a", limits: limits, now: now)
        try tenant.enter(now: now)
        #expect(throws: APIError.self) { try tenant.enter(now: now) }
        tenant.leave()
        tenant.charge(tokens: 70, now: now)
        let error = #expect(throws: APIError.self) { try tenant.enter(now: now) }
        #expect(error?.status == .tooManyRequests && error?.retryAfter == 11)
        let remaining = try #require(HTTPField.Name("x-ratelimit-remaining-tokens"))
        #expect(error?.headers[remaining] == "0")
        try tenant.enter(now: now + .seconds(12))
    }
}
