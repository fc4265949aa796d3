import DSSupport
import Hummingbird

/// `/health`, `/ready` and their other names. `ProbeHandler` answers them before they come here, unless a request on the
/// same connection is still being answered.
struct HealthRoutes: RouteGroup {
    let monitor: HealthMonitor

    var operations: [APIOperation] {
        HealthMonitor.Question.paths.map { path in
            let isLive = HealthMonitor.Question(path: path) == .live
            return APIOperation(
                .get, path, tag: "Server",
                isLive ? "Whether every engine makes progress" : "Whether requests are taken", failures: [503])
        }
    }

    func add(to router: Router<ServingContext>) {
        for path in HealthMonitor.Question.paths {
            guard let question = HealthMonitor.Question(path: path) else { continue }
            router.get(RouterPath(path)) { _, context in
                let (status, body) = monitor.answer(question, detailed: context.mayReadFigures)
                return Response.json(body, status: status)
            }
        }
    }
}
