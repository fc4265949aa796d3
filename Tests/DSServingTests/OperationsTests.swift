import DSEngine
import DSServing
import DSSupport
import HTTPTypes
import Synchronization
import Testing

@Suite struct OperationsTests {
    @Test func progressIsJudgedFromTheFirstLookAtWork() {
        let now = ContinuousClock.now
        var progress = Progress()
        var statistics = EngineStatistics()
        statistics.lastStep = now - .seconds(3600)
        #expect(progress.stalled(statistics, now: now) == .zero)
        // Idle for an hour, then a request: its time begins now.
        statistics.submittedRequests = 1
        #expect(progress.stalled(statistics, now: now) == .zero)
        #expect(progress.stalled(statistics, now: now + .seconds(90)) == .seconds(90))
        statistics.steps = 1
        #expect(progress.stalled(statistics, now: now + .seconds(100)) == .zero)
        #expect(progress.stalled(statistics, now: now + .seconds(230)) == .seconds(130))
        statistics.expiredRequests = 1
        #expect(progress.stalled(statistics, now: now + .seconds(500)) == .zero)
        statistics.submittedRequests = 2
        #expect(progress.stalled(statistics, now: now + .seconds(600)) == .zero)
    }

    @Test func aStepThatDoesNotEndIsSeenAtOnce() {
        let now = ContinuousClock.now
        var progress = Progress()
        var statistics = EngineStatistics()
        statistics.submittedRequests = 1
        statistics.turnStarted = now - .seconds(300)
        #expect(progress.stalled(statistics, now: now) == .seconds(300))
    }

    @Test func slowClientsAreNoHang() {
        let now = ContinuousClock.now
        var progress = Progress()
        var statistics = EngineStatistics()
        statistics.submittedRequests = 3
        statistics.pausedRequests = 1
        for seconds in [0, 1000] { #expect(progress.stalled(statistics, now: now + .seconds(seconds)) == .zero) }
    }

    @Test func phasesOnlyFollowEachOther() {
        let state = ServerState()
        #expect(state.phase == .starting)
        state.advance(to: .leaving)
        state.advance(to: .serving)
        #expect(state.phase == .leaving)
    }

    @Test func absentModelsAreNamedWithTheReason() throws {
        let catalog = ModelCatalog([])
        catalog.setAbsent("big", .loading(bytes: 10 << 20, of: 30 << 20))
        let loading = #expect(throws: APIError.self) { try catalog.model(named: "big") }
        #expect(
            loading?.status == .serviceUnavailable && loading?.retryAfter != nil && loading?.code == "model_loading")
        #expect(loading?.message.contains("10 of 30 MiB") == true)
        #expect(throws: APIError.self) { try catalog.model(named: nil) }
        catalog.setAbsent("big", .failed("the file ends early"))
        let failed = #expect(throws: APIError.self) { try catalog.model(named: "big") }
        #expect(failed?.code == "model_unavailable" && failed?.message.contains("the file ends early") == true)
        let unknown = #expect(throws: APIError.self) { try catalog.model(named: "other") }
        #expect(unknown?.status == .notFound)
    }

    @Test func readinessHasReasons() {
        let catalog = ModelCatalog([])
        let state = ServerState()
        let monitor = HealthMonitor(catalog: catalog, state: state, timeout: .seconds(1))
        #expect(monitor.reasonNotReady() == "models are loading")
        #expect(monitor.answer(.live, detailed: true).status == .ok)
        state.advance(to: .serving)
        #expect(monitor.reasonNotReady() == "no model is loaded")
        state.advance(to: .leaving)
        #expect(monitor.answer(.ready, detailed: true).status == .serviceUnavailable)
        #expect(monitor.answer(.live, detailed: true).status == .ok)
    }

    @Test func strangersLearnNoNames() {
        let catalog = ModelCatalog([])
        catalog.setAbsent("secret-project", .failed("/models/secret-project.gguf is damaged"))
        let monitor = HealthMonitor(catalog: catalog, state: ServerState(.serving), timeout: .seconds(1))
        let told = monitor.answer(.ready, detailed: false).body.serializedString()
        #expect(!told.contains("secret-project"))
        #expect(monitor.answer(.ready, detailed: true).body.serializedString().contains("secret-project"))
    }
}
