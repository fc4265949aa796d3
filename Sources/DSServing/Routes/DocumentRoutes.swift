import DSSupport
import Hummingbird

/// `GET /openapi.json`: what this server serves.
struct DocumentRoutes: RouteGroup {
    let version: String
    /// Operations of the other groups.
    let others: [APIOperation]

    func add(to router: Router<ServingContext>) {
        let document = APIDocument(version: version, operations: others + operations).json
        router.get("/openapi.json") { _, _ in Response.json(document) }
    }

    var operations: [APIOperation] {
        [
            APIOperation(.get, "/openapi.json", tag: "Server", "This document")
        ]
    }
}
