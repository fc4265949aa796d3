import ArgumentParser
import DSLoadTest
import DSSupport
import Foundation

/// `deepseek loadtest`: latencies and throughput of any OpenAI-compatible server.
struct LoadTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loadtest",
        abstract: "Measure a server under load: any that speaks OpenAI's API.",
        discussion: """
            Closed loop (--concurrency): so many clients, each of which sends its next request when the last one was \
            answered. Open loop (--rate): requests arrive at a rate, whether or not earlier ones were answered; their \
            latencies run from the arrival. Lists of either make one run per value and one report. Latencies are exact \
            percentiles of all samples; definitions are those of `vllm bench serve`. docs/loadtest.md has them, and every \
            key of the JSON.

            Without --seed every test sends prompts of its own; give one --seed to each side of a comparison, and a new \
            one, or a new server, to each repetition.

            The exit code is 1 if any request failed; reports are written all the same.

            EXAMPLES
              deepseek loadtest --concurrency 1,8,32 --random-input-len 512 --random-output-len 128 --report load.html
              deepseek loadtest --rate 2.5 --duration 60 --goodput ttft:2000 tpot:80 --dataset prompts.jsonl
              deepseek loadtest --url http://127.0.0.1:8081 --seed 1 --label llama-server --json theirs.json
              deepseek loadtest --seed 1 --label ours --json ours.json --compare theirs.json --report both.html
              deepseek loadtest --self-test --concurrency 1,64,256
            """)

    @OptionGroup(title: "Server") var server: LoadTestServerOptions
    @OptionGroup(title: "Load") var load: LoadTestLoadOptions
    @OptionGroup(title: "Requests") var requests: LoadTestRequestOptions
    @OptionGroup(title: "Results") var results: LoadTestResultOptions
    @Flag(help: "Measure this client instead, against a server in the same process that computes nothing.")
    var selfTest = false

    func validate() throws {
        do {
            _ = try results.serviceLevel()
            _ = try server.target()
        } catch let error as LoadTestError {
            throw ValidationError(error.description)
        }
        try load.check()
        try requests.check()
        try results.check()
        if selfTest {
            let others = [results.isAsked, load.isMoreThanLevels, server.isNamed, try requests.isGiven()]
            if others.contains(true) {
                throw ValidationError("--self-test: expected no other options than --concurrency and --json -")
            }
        }
    }

    func run() async throws {
        if selfTest { return try await LoadTestSelfTest.run(load.levels, json: results.json) }
        // What can be wrong without the server is found before its time is spent.
        let comparison = try results.comparisonFile()
        let seed = load.seed ?? LoadTestLoadOptions.drawnSeed()
        let prompts = try requests.prompts(endpoint: server.endpoint, seed: seed)
        let client = LoadClient(target: try server.target(), timeout: .seconds(load.timeout))
        let outcome: Result<LoadReport, any Error>
        do {
            let session = LoadTestSession(
                client: client, form: try await form(client), prompts: prompts, load: load, seed: seed)
            outcome = .success(try await report(session))
        } catch {
            outcome = .failure(error)
        }
        await client.shutdown()
        let report = try outcome.get()
        try results.write(report, seed: seed, comparedWith: comparison)
        if report.hasFailures { throw ExitCode.failure }
    }

    private func form(_ client: LoadClient) async throws -> RequestForm {
        var form = RequestForm(
            endpoint: server.endpoint, model: try await server.modelName(client), maxTokens: requests.maxTokens)
        form.isStreamed = !requests.noStream
        form.ignoresEnd = requests.ignoreEos
        form.temperature = requests.temperature
        form.extra = try requests.extraFields()
        return form
    }

    private func report(_ session: LoadTestSession) async throws -> LoadReport {
        let serviceLevel = try results.serviceLevel()
        let start = Date.now
        let runs = try await session.runs(serviceLevel: serviceLevel, wantsSteadyState: results.steadyState)
        var settings = [LoadReport.Setting("started", .text(start.formatted(.iso8601)))]
        settings += server.settings
        settings += load.settings(seed: session.seed)
        settings += requests.settings(words: session.wordFit)
        settings += results.settings
        return LoadReport(
            version: Version.text, label: results.label ?? session.form.model, target: server.url,
            model: session.form.model, settings: settings, serviceLevel: serviceLevel, runs: runs)
    }
}
