import DSEngine
import Hummingbird
import NIOCore

/// What all routes that generate text begin with: reading the body, admission, and answers that end with their client.
struct GenerationService: Sendable {
    let catalog: ModelCatalog
    let connections: ClientConnections
    /// Bytes of the largest body.
    let bodyLimit: Int
    /// See `AnswerGroup.keepAlive`.
    var keepAlive: Duration?

    /// What an answer starts from.
    enum Prompt {
        case chat(ChatRequest)
        case text(TextRequest)
    }

    func fields(of request: Request) async throws -> FieldReader {
        try FieldReader(body: try await request.bodyBytes(limit: bodyLimit))
    }

    /// Starts one answer per prompt; all of them end when the client goes.
    func start(_ prompts: [Prompt], on model: ServedModel, for context: ServingContext) throws -> AnswerGroup {
        AnswerGroup(
            try streams(prompts, on: model), connections: connections, channel: context.channel, keepAlive: keepAlive,
            charge: charge(context))
    }

    /// Starts answers that go on without their client.
    func startDetached(_ prompts: [Prompt], on model: ServedModel, for context: ServingContext) throws -> AnswerGroup {
        AnswerGroup(
            try streams(prompts, on: model), connections: connections, channel: nil, charge: charge(context))
    }

    /// Takes an answer's tokens from what the key of the request may use.
    private func charge(_ context: ServingContext) -> @Sendable (Int) -> Void {
        { [tenant = context.tenant] tokens in tenant?.charge(tokens: tokens) }
    }

    private func streams(_ prompts: [Prompt], on model: ServedModel) throws -> [TextStream] {
        try model.check(answers: prompts.count)
        return try prompts.map { prompt in
            switch prompt {
            case .chat(let request): try model.generator.chat(request)
            case .text(let request): try model.generator.generate(request)
            }
        }
    }
}
