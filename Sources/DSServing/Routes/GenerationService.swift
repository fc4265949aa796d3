import DSEngine
import Hummingbird
import NIOCore

/// What all routes that generate text begin with: reading the body, admission, and answers that end with their client.
struct GenerationService: Sendable {
    let catalog: ModelCatalog
    let connections: ClientConnections
    /// Bytes of the largest body.
    let bodyLimit: Int
    let sharing: PrefixCacheSharing
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
    /// - Parameter count: how many prompts in a row are the same (`n`); nil: all of them.
    func start(
        _ prompts: [Prompt], answersPerPrompt count: Int? = nil, on model: ServedModel, for context: ServingContext
    ) async throws -> AnswerGroup {
        let streams = try await streams(prompts, on: model, for: context)
        Self.note(streams, of: prompts, perPrompt: count ?? prompts.count, on: model, in: context.record)
        return AnswerGroup(
            streams, connections: connections, channel: context.channel,
            accounts: AnswerAccounts(context.record, of: context.tenant), keepAlive: keepAlive)
    }

    /// Starts answers that go on without their client.
    /// - Returns: also what is known about them, which does not end with the request.
    func startDetached(
        _ prompts: [Prompt], on model: ServedModel, for context: ServingContext
    ) async throws -> (AnswerGroup, RequestRecord) {
        let streams = try await streams(prompts, on: model, for: context)
        let record = RequestRecord(after: context.record)
        Self.note(streams, of: prompts, perPrompt: prompts.count, on: model, in: record)
        let group = AnswerGroup(
            streams, connections: connections, channel: nil, accounts: AnswerAccounts(record, of: context.tenant))
        return (group, record)
    }

    private static func note(
        _ streams: [TextStream], of prompts: [Prompt], perPrompt count: Int, on model: ServedModel,
        in record: RequestRecord
    ) {
        record.began(
            zip(prompts, streams).enumerated().map { index, pair in
                pair.0.record(promptTokens: pair.1.promptTokens, isFirst: index % count == 0)
            }, perPrompt: count, model: model.name)
    }

    private func streams(
        _ prompts: [Prompt], on model: ServedModel, for context: ServingContext
    ) async throws -> [TextStream] {
        try model.check(answers: prompts.count)
        let owner = sharing.owner(context.tenant)
        var streams: [TextStream] = []
        for prompt in prompts {
            switch prompt {
            case .chat(var request):
                request.options.cacheOwner = owner
                streams.append(try await model.generator.chat(request, compilingOn: ThreadExecutor.grammars))
            case .text(var request):
                request.options.cacheOwner = owner
                streams.append(try await model.generator.generate(request, compilingOn: ThreadExecutor.grammars))
            }
        }
        return streams
    }
}

extension GenerationService.Prompt {
    /// What is known when the answer was submitted.
    fileprivate func record(promptTokens: Int, isFirst: Bool) -> AnswerRecord {
        let options =
            switch self {
            case .chat(let request): request.options
            case .text(let request): request.options
            }
        return AnswerRecord(
            promptTokens: promptTokens, isFirst: isFirst, maxTokens: options.stopping.maxTokens,
            sampling: .init(temperature: options.sampling.temperature, topP: options.sampling.topP))
    }
}
