import DSSupport
import Hummingbird

/// `GET /version`, and `GET /load`: how many requests are being answered, as vLLM tells it.
struct ServerRoutes: RouteGroup {
    let state: ServerState
    let version: String

    var operations: [APIOperation] {
        [
            APIOperation(.get, "/version", tag: "Server", "The server's version"),
            APIOperation(.get, "/load", tag: "Server", "How many requests are being answered"),
        ]
    }

    func add(to router: Router<ServingContext>) {
        router.get("/version") { _, _ in Response.json(["version": .text(version)]) }
        // Those that only look, like this one, are not counted.
        router.get("/load") { _, _ in Response.json(["server_load": .integer(Int64(state.activeRequests))]) }
    }
}
