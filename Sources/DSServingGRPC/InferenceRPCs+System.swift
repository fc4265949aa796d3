import DSServing
import DSSupport

/// Shared memory, tracing and logging.
extension InferenceRPCs {
    var systemCalls: [ObjectRPC] {
        let memory = service.sharedMemory
        return [
            ObjectRPC("SystemSharedMemoryStatus") { request in
                var regions = JSONObject()
                let name = request.text("name")
                for region in try memory.status(name.isEmpty ? nil : name) {
                    regions[region.name] = [
                        "name": .text(region.name), "key": .text(region.key),
                        "offset": .integer(Int64(region.offset)), "byte_size": .integer(Int64(region.byteCount)),
                    ]
                }
                return ["regions": .object(regions)]
            },
            ObjectRPC("SystemSharedMemoryRegister") { request in
                try memory.register(
                    .init(
                        name: request.text("name"), key: request.text("key"),
                        offset: request["offset"]?.intValue ?? 0, byteCount: request["byte_size"]?.intValue ?? 0))
                return [:]
            },
            ObjectRPC("SystemSharedMemoryUnregister") { request in
                let name = request.text("name")
                memory.unregister(name.isEmpty ? nil : name)
                return [:]
            },
            // There is no CUDA device: nothing is registered, and nothing can be.
            ObjectRPC("CudaSharedMemoryStatus") { _ in [:] },
            ObjectRPC("CudaSharedMemoryUnregister") { _ in [:] },
            ObjectRPC("CudaSharedMemoryRegister") { _ in
                throw InferenceError(.unsupported, "CUDA shared memory: expected a CUDA device, found none")
            },
            ObjectRPC("TraceSetting") { request in
                try Self.refuseChanges(request, "trace settings")
                return ["settings": Self.traceSettings]
            },
            ObjectRPC("LogSettings") { request in
                try Self.refuseChanges(request, "log settings")
                return ["settings": Self.logSettings]
            },
        ]
    }

    private static func refuseChanges(_ request: JSONObject, _ what: String) throws(InferenceError) {
        guard request["settings"]?.objectValue?.isEmpty ?? true else {
            throw InferenceError(
                .unsupported, "\(what): expected none, for they cannot be changed while the server runs")
        }
    }

    /// As Triton writes them.
    private static let traceSettings: JSONValue = [
        "trace_level": ["value": ["OFF"]], "trace_rate": ["value": ["1000"]], "trace_count": ["value": ["-1"]],
        "log_frequency": ["value": ["0"]], "trace_file": ["value": [""]], "trace_mode": ["value": ["triton"]],
    ]
    private static let logSettings: JSONValue = [
        "log_info": ["bool_param": true], "log_warning": ["bool_param": true], "log_error": ["bool_param": true],
        "log_verbose_level": ["uint32_param": 0], "log_format": ["string_param": "default"],
        "log_file": ["string_param": ""],
    ]
}
