import HTTPTypes

/// Answers of a server that does not take a request.
extension APIError {
    /// The model of a request loads, or could not be loaded.
    static func modelAbsent(_ absence: ModelCatalog.Absence) -> APIError {
        switch absence.reason {
        case .loading(let bytes, let total):
            let progress = total > 0 ? ": \(bytes >> 20) of \(total >> 20) MiB are read" : ""
            return APIError(
                status: .serviceUnavailable, message: "The model `\(absence.name)` is being loaded\(progress).",
                type: "unavailable_error", parameter: "model", code: "model_loading", retryAfter: 2)
        case .failed(let reason):
            return APIError(
                status: .serviceUnavailable, message: "The model `\(absence.name)` could not be loaded: \(reason)",
                type: "unavailable_error", parameter: "model", code: "model_unavailable", retryAfter: 60)
        }
    }

    /// A server whose models clients load has none.
    static let noModel = APIError(
        status: .serviceUnavailable,
        message: "No model is loaded. POST /v2/repository/models/NAME/load loads one of the repository.",
        type: "unavailable_error", parameter: "model", code: "model_unavailable", retryAfter: 60)

    static let unauthorized: APIError = {
        var error = APIError(
            status: .unauthorized,
            message: "Expected a valid API key as 'authorization: Bearer KEY' or 'x-api-key: KEY'.",
            type: "authentication_error", code: "invalid_api_key")
        error.headers[.wwwAuthenticate] = "Bearer realm=\"deepseek-server\""
        return error
    }()

    static func forbidden(_ scope: APIKey.Scope) -> APIError {
        APIError(
            status: .forbidden, message: "Expected an API key with the scope '\(scope.rawValue)'.",
            type: "permission_error", code: "insufficient_scope")
    }

    static func rateLimited(_ message: String, retryAfter: Int) -> APIError {
        APIError(
            status: .tooManyRequests, message: message, type: "rate_limit_error", code: "rate_limit_exceeded",
            retryAfter: max(1, retryAfter))
    }

    /// The server was told to stop. The client's next connection may reach another one.
    static let draining: APIError = {
        var error = APIError(
            status: .serviceUnavailable, message: "The server is stopping and takes no new requests.",
            type: "unavailable_error", code: "shut_down", retryAfter: 5)
        error.headers[.connection] = "close"
        return error
    }()

    static func tooManyConnections(_ limit: Int) -> APIError {
        APIError(
            status: .serviceUnavailable, message: "The server has \(limit) connections, which is its limit.",
            type: "overloaded_error", code: "too_many_connections", retryAfter: 1)
    }
}
