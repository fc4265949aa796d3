import Hummingbird

/// Some routes of the server that belong together.
protocol RouteGroup {
    func add(to router: Router<ServingContext>)
    /// What `/openapi.json` says about each route that `add` adds; a test compares the two.
    var operations: [APIOperation] { get }
}

extension RouteGroup {
    var operations: [APIOperation] { [] }
}
