import DSServing
import GRPCCore
import Logging

/// Counts and logs every call when its answer was written, and takes no new work while the server drains. Outermost of all.
struct CallObserver: ServerInterceptor {
    let state: ServerState
    let metrics: ServingMetrics
    let costs: CostModel?
    let logger: Logger

    @concurrent func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                StreamingServerRequest<Input>, ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let call = try CallObservation(
            context, request.metadata, state: state, metrics: metrics, costs: costs, logger: logger)
        do {
            let response = try await CallRecord.$current.withValue(call.record) { try await next(request, context) }
            return Self.observed(response, call)
        } catch {
            call.end(failed: error)
            throw error
        }
    }

    private static func observed<Output>(
        _ response: StreamingServerResponse<Output>, _ call: CallObservation
    ) -> StreamingServerResponse<Output> {
        switch response.accepted {
        case .failure(let error):
            call.end(failed: error)
            return response
        case .success(let contents):
            return StreamingServerResponse(of: Output.self, metadata: contents.metadata) { writer in
                do {
                    let trailing = try await CallRecord.$current.withValue(call.record) {
                        try await contents.producer(writer)
                    }
                    call.end(.ok)
                    return trailing
                } catch {
                    call.end(failed: error)
                    throw error
                }
            }
        }
    }
}
