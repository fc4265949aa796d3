import Hummingbird

/// Some routes of the server that belong together.
protocol RouteGroup {
    func add(to router: Router<ServingContext>)
}
