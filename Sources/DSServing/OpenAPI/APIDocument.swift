package import DSSupport
import HTTPTypes

/// The OpenAPI 3.1 document of a server.
package struct APIDocument: Sendable {
    package var version: String
    package var operations: [APIOperation]

    package init(version: String, operations: [APIOperation]) {
        self.version = version
        self.operations = operations
    }

    package var json: JSONValue {
        var paths = JSONObject()
        for operation in operations {
            var path = paths[operation.path]?.objectValue ?? JSONObject()
            path[operation.method.rawValue.lowercased()] = operation.json
            paths[operation.path] = .object(path)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "deepseek-server", "version": .text(version),
                "description": "Unknown fields of bodies are ignored; null counts as absent.",
            ],
            "paths": .object(paths),
        ]
    }
}
