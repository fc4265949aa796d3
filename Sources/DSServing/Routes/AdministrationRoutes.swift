import DSSupport
import HTTPTypes
import Hummingbird

/// `POST /admin/reload` and `POST /admin/drain`, for holders of a key with the scope `admin`; without one they are 404.
struct AdministrationRoutes: RouteGroup {
    let administration: Administration
    let keys: KeyStore

    var operations: [APIOperation] {
        [
            APIOperation(
                .post, "/admin/reload", tag: "Administration", "Reads keys, certificates and models again",
                failures: [404, 409]),
            APIOperation(.post, "/admin/drain", tag: "Administration", "Stops the server", failures: [404]),
        ]
    }

    func add(to router: Router<ServingContext>) {
        router.post("/admin/reload") { _, _ in
            try checkKey()
            let report = await administration.reload()
            return Response.json(report.json, status: report.allFailures.isEmpty ? .ok : .conflict)
        }
        router.post("/admin/drain") { _, _ in
            try checkKey()
            administration.drain()
            return Response.json(["status": "draining"], status: .accepted)
        }
    }

    /// On a server without keys these routes would be open to everybody.
    private func checkKey() throws {
        guard keys.hasAdministrator else { throw HTTPError(.notFound) }
    }
}
