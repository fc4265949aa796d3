import DSEngine
import DSSupport
import Foundation
import Hummingbird
import NIOCore

/// `POST /v1/completions`: text in, text out, no template.
struct Completions: RouteGroup {
    let service: GenerationService

    func add(to router: Router<ServingContext>) {
        router.post("/v1/completions") { request, context in try await answer(request, context) }
    }

    var operations: [APIOperation] {
        [
            APIOperation(
                .post, "/v1/completions", tag: "OpenAI", "Continues a text", body: APIObject(FieldLists.completion),
                answers: ["application/json", "text/event-stream"], failures: [400, 404, 413, 500, 503])
        ]
    }

    private func answer(_ request: Request, _ context: ServingContext) async throws -> Response {
        let body = try CompletionBody(try await service.fields(of: request), catalog: service.catalog)
        let group = try await service.start(
            body.requests.map { .text($0) }, answersPerPrompt: body.candidates, on: body.model, for: context)
        let identity = AnswerIdentity(
            prefix: "cmpl-", model: body.model.name, created: Int(Date().timeIntervalSince1970),
            name: body.requestID ?? RequestNames.name(of: request), fingerprint: body.model.fingerprint)
        if body.shared.stream { return CompletionStream(group: group, body: body, identity: identity).response() }
        return try await whole(group, body, identity)
    }

    private func whole(
        _ group: AnswerGroup, _ body: CompletionBody, _ identity: AnswerIdentity
    ) async throws -> Response {
        let answers = try await group.collect()
        var object = identity.object("text_completion")
        let chosen = Self.best(answers, of: body)
        let choices = chosen.enumerated().map { index, candidate in
            choice(index, candidate, answers[candidate], group, body)
        }
        object.insert("choices", .array(choices))
        // All candidates were computed.
        object.insert("usage", body.usage(of: answers.map(\.result.usage)).json)
        return .json(.object(object))
    }

    /// Which answers are given: of each prompt's candidates the most probable ones per token, best first.
    private static func best(_ answers: [AnswerGroup.Answer], of body: CompletionBody) -> [Int] {
        guard body.candidates > body.shared.count else { return Array(answers.indices) }
        func score(_ index: Int) -> Float {
            let values = answers[index].output.tokens.compactMap(\.logprob)
            return values.reduce(0, +) / Float(max(1, values.count))
        }
        return body.prompts.indices.flatMap { prompt in
            let candidates = prompt * body.candidates..<(prompt + 1) * body.candidates
            return candidates.sorted { (score($0), $1) > (score($1), $0) }.prefix(body.shared.count)
        }
    }

    private func choice(
        _ index: Int, _ candidate: Int, _ answer: AnswerGroup.Answer, _ group: AnswerGroup, _ body: CompletionBody
    ) -> JSONValue {
        let output = answer.output
        let prompt = group.streams[candidate].promptIDs
        let tokens = output.textTokens
        let logprobs = body.logprobObjects.map { logprobs in
            body.echo
                ? logprobs.completion(tokens, prompt: prompt, promptLogprobs: output.promptTokens).json
                : logprobs.completion(tokens, offset: 0)
        }
        let text = output.reasoning + output.content
        var choice = JSONObject([
            ("index", .integer(Int64(index))),
            ("text", .text(body.echo ? body.echoed(candidate, of: group) + text : text)),
            ("logprobs", logprobs ?? .null), ("finish_reason", .text(answer.result.reason.text(calledTools: false))),
            ("stop_reason", answer.result.reason.stopReason),
        ])
        let reports = body.shared.reports
        if reports.tokenIDs {
            choice.insert("prompt_token_ids", .ids(prompt))
            choice.insert("token_ids", output.tokenIDs)
        }
        if let count = reports.promptLogprobs, candidate % body.candidates == 0 {
            let logprobs = LogprobObjects(generator: body.model.generator, alternatives: count)
            choice.insert("prompt_logprobs", logprobs.prompt(output.promptTokens))
        }
        return .object(choice)
    }
}

extension CompletionBody {
    /// The usage of all choices: each prompt counts once.
    func usage(of usages: [TokenUsage]) -> TokenUsage {
        var total = TokenUsage.total(usages)
        total.promptTokens = usages.reduce(0) { $0 + $1.promptTokens } / candidates
        return total
    }
}
