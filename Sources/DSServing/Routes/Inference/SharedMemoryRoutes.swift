import DSSupport
import Foundation
import Hummingbird

/// Triton's routes for shared memory, logging and tracing.
struct SharedMemoryRoutes: RouteGroup {
    let service: InferenceService
    let bodyLimit: Int

    func add(to router: Router<ServingContext>) {
        addSystem(to: router)
        addCUDA(to: router)
        router.get("/v2/logging") { _, _ in Response.json(Self.logging) }
        for path in ["/v2/trace/setting", "/v2/models/:model/trace/setting"] {
            router.get(RouterPath(path)) { _, _ in Response.json(Self.trace) }
        }
    }

    var operations: [APIOperation] {
        var operations = [
            APIOperation(.get, "/v2/logging", tag: "V2", "What is logged; read only"),
            APIOperation(.get, "/v2/trace/setting", tag: "V2", "What Triton would trace; read only"),
            APIOperation(
                .get, "/v2/models/{model}/trace/setting", tag: "V2", "The same of one model",
                pathParameters: [FieldLists.modelName]),
        ]
        for root in ["/v2/systemsharedmemory", "/v2/cudasharedmemory"] {
            for (path, region) in [("", []), ("/region/{region}", [FieldLists.regionName])] {
                operations += [
                    APIOperation(
                        .get, root + path + "/status", tag: "V2", "Memory that clients share", pathParameters: region,
                        failures: [404]),
                    APIOperation(
                        .post, root + path + "/unregister", tag: "V2", "Forgets it", pathParameters: region,
                        answers: []),
                ]
            }
            operations.append(
                APIOperation(
                    .post, root + "/region/{region}/register", tag: "V2", "Shares memory with the server",
                    body: APIObject(root.contains("cuda") ? [] : FieldLists.sharedMemory),
                    pathParameters: [FieldLists.regionName], answers: [], failures: [400, 413]))
        }
        return operations
    }

    private func addSystem(to router: Router<ServingContext>) {
        let memory = service.sharedMemory
        let root = "/v2/systemsharedmemory"
        for path in [root + "/status", root + "/region/:region/status"] {
            router.get(RouterPath(path)) { _, context in
                try InferenceRoutes.guarded { () throws(InferenceError) in
                    Response.json(.array(try memory.status(Self.region(context)).map(Self.object)))
                }
            }
        }
        router.post(RouterPath(root + "/region/:region/register")) { request, context in
            let fields = try FieldReader(body: try await request.bodyBytes(limit: bodyLimit))
            let region = SharedMemoryRegions.Description(
                name: Self.region(context) ?? "", key: try fields.requiredString("key"),
                offset: try fields.integer("offset") ?? 0, byteCount: try fields.integer("byte_size") ?? 0)
            return try InferenceRoutes.guarded { () throws(InferenceError) in
                try memory.register(region)
                return Response(status: .ok)
            }
        }
        for path in [root + "/unregister", root + "/region/:region/unregister"] {
            router.post(RouterPath(path)) { _, context in
                memory.unregister(Self.region(context))
                return Response(status: .ok)
            }
        }
    }

    /// There is none here: nothing is registered, and nothing can be.
    private func addCUDA(to router: Router<ServingContext>) {
        let root = "/v2/cudasharedmemory"
        for path in [root + "/status", root + "/region/:region/status"] {
            router.get(RouterPath(path)) { _, _ in Response.json([]) }
        }
        for path in [root + "/unregister", root + "/region/:region/unregister"] {
            router.post(RouterPath(path)) { _, _ in Response(status: .ok) }
        }
        router.post(RouterPath(root + "/region/:region/register")) { _, _ -> Response in
            throw APIError(InferenceError(.unsupported, "CUDA shared memory: expected a CUDA device, found none"))
        }
    }

    private static func region(_ context: ServingContext) -> String? {
        context.parameters.get("region").map { $0.removingPercentEncoding ?? $0 }
    }

    private static func object(_ region: SharedMemoryRegions.Description) -> JSONValue {
        [
            "name": .text(region.name), "key": .text(region.key), "offset": .integer(Int64(region.offset)),
            "byte_size": .integer(Int64(region.byteCount)),
        ]
    }

    /// As Triton writes them; they cannot be changed while the server runs.
    private static let logging: JSONValue = [
        "log_file": "", "log_info": true, "log_warning": true, "log_error": true, "log_verbose_level": 0,
        "log_format": "default",
    ]
    private static let trace: JSONValue = [
        "trace_level": ["OFF"], "trace_rate": "1000", "trace_count": "-1", "log_frequency": "0", "trace_file": "",
        "trace_mode": "triton",
    ]
}
