import DSBlockStores
import Synchronization
import Testing

@Suite struct BlockFailuresTests {
    private static let start = ContinuousClock.now

    private static func second(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("The first failure is told at once, and the first of each further interval with the number of those between")
    func tellsHowManyMore() {
        let told = Mutex<[String]>([])
        let failures = BlockFailures(interval: .seconds(60)) { line in told.withLock { $0.append(line) } }
        failures.note("a", of: .reading, now: Self.second(0))
        #expect(told.withLock(\.self) == ["a"])
        failures.note("b", of: .reading, now: Self.second(0))
        failures.note("c", of: .reading, now: Self.second(59))
        #expect(told.withLock(\.self) == ["a"])
        failures.note("d", of: .reading, now: Self.second(60))
        // The interval begins anew, and so does the number.
        failures.note("e", of: .reading, now: Self.second(119))
        failures.note("f", of: .reading, now: Self.second(120))
        failures.note("g", of: .reading, now: Self.second(180))
        failures.note("h", of: .reading, now: Self.second(10_000))
        #expect(
            told.withLock(\.self) == [
                "a", "d (and 2 more since the last such line)", "f (and 1 more since the last such line)", "g", "h",
            ])
    }

    @Test("What cannot be read does not hide what cannot be written, and is not counted with it")
    func kindsAreApart() {
        let told = Mutex<[String]>([])
        let failures = BlockFailures(interval: .seconds(60)) { line in told.withLock { $0.append(line) } }
        failures.note("read a", of: .reading, now: Self.second(0))
        failures.note("write a", of: .writing, now: Self.second(1))
        #expect(told.withLock(\.self) == ["read a", "write a"])
        failures.note("read b", of: .reading, now: Self.second(2))
        for second in 3...5 { failures.note("write b", of: .writing, now: Self.second(second)) }
        failures.note("read c", of: .reading, now: Self.second(60))
        // Its own interval is not over yet.
        failures.note("write c", of: .writing, now: Self.second(60))
        failures.note("write d", of: .writing, now: Self.second(61))
        #expect(
            told.withLock(\.self) == [
                "read a", "write a", "read c (and 1 more since the last such line)",
                "write d (and 4 more since the last such line)",
            ])
    }
}
