/// One run at one level of load.
package struct LoadRun: Sendable {
    package let client: LoadClient
    package let form: RequestForm
    package let prompts: PromptSource
    package let load: Load
    package let limit: RunLimit
    /// The prompts' number of this run's first request: prompts are not repeated by the next run.
    package let firstPrompt: Int
    package let seed: UInt64

    package init(
        client: LoadClient, form: RequestForm, prompts: PromptSource, load: Load, limit: RunLimit, firstPrompt: Int,
        seed: UInt64
    ) {
        self.client = client
        self.form = form
        self.prompts = prompts
        self.load = load
        self.limit = limit
        self.firstPrompt = firstPrompt
        self.seed = seed
    }

    /// Sends requests until the limit, and returns when the last one has ended.
    package func run(_ progress: RunProgress) async -> [RequestRecord] {
        let stopwatch = Stopwatch()
        switch load {
        case .closed(let concurrency, let rampUp): await closed(concurrency, rampUp, progress, stopwatch)
        case .open(let rate, let arrival):
            await open(ArrivalSchedule(rate: rate, arrival: arrival, seed: seed), progress, stopwatch)
        }
        return progress.records
    }

    private func closed(_ concurrency: Int, _ rampUp: Double, _ progress: RunProgress, _ stopwatch: Stopwatch) async {
        await withDiscardingTaskGroup { group in
            for client in 0..<concurrency {
                let begin = Load.begin(of: client, concurrency, rampUp)
                guard await waits(until: begin, progress, stopwatch) else { return }
                group.addTask {
                    while let index = progress.take(limit: limit, at: stopwatch.seconds) {
                        let body = body(index)
                        await send(body, index: index, due: stopwatch.seconds, progress, stopwatch)
                    }
                }
            }
        }
    }

    /// Returns then; false as soon as no request may start any more.
    private func waits(until begin: Double, _ progress: RunProgress, _ stopwatch: Stopwatch) async -> Bool {
        while begin > stopwatch.seconds {
            let next = min(begin, stopwatch.seconds + 0.05)
            guard (try? await stopwatch.sleep(until: next)) != nil, !progress.isStopped,
                limit.allows(request: progress.snapshot.started, at: stopwatch.seconds)
            else { return false }
        }
        return true
    }

    /// Never waits for an answer: a slow server meets the same arrivals as a fast one.
    private func open(_ schedule: ArrivalSchedule, _ progress: RunProgress, _ stopwatch: Stopwatch) async {
        await withDiscardingTaskGroup { group in
            for due in schedule {
                // The limit in seconds holds for arrivals, however late this loop is.
                guard limit.allows(request: progress.snapshot.started, at: due) else { return }
                let body = body(progress.snapshot.started)
                guard (try? await stopwatch.sleep(until: due)) != nil, let index = progress.take(limit: limit, at: due)
                else { return }
                group.addTask { await send(body, index: index, due: due, progress, stopwatch) }
            }
        }
    }

    private func body(_ index: Int) -> [UInt8] { form.body(for: prompts.request(firstPrompt + index)) }

    private func send(
        _ body: [UInt8], index: Int, due: Double, _ progress: RunProgress, _ stopwatch: Stopwatch
    ) async {
        progress.add(await client.send(body, to: form.endpoint, index: index, due: due, stopwatch: stopwatch))
    }
}
