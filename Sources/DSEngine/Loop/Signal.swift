#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#elseif canImport(Darwin)
    private import Darwin
#endif

/// A lock with a condition to wait for; Swift's `Mutex` has none, and a thread of ours must park without spinning.
final class Signal<Value>: @unchecked Sendable {
    // SAFETY: `value` is only touched between lock and unlock of `mutex`; the two C objects live at fixed addresses from
    // init to deinit.
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ value: sending Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
            pthread_cond_init(condition, nil)
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the value and wakes the waiting thread.
    func update<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_signal(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Parks the calling thread until `isReady`, or it is `deadline`, then changes the value.
    func wait<Result>(
        until isReady: (Value) -> Bool, deadline: ContinuousClock.Instant? = nil, _ body: (inout Value) -> Result
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isReady(value) {
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { break }
            park(for: left)
        }
        return body(&value)
    }

    /// Waits for a wake-up, for so long at most, by a clock that nobody sets: set back by an hour, the system's time would make it an
    /// hour more. That clock stands still while the machine sleeps, so nobody waits for long before looking at the deadline again.
    private func park(for duration: Duration) {
        let (seconds, attoseconds) = min(duration, .seconds(10)).components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        #if canImport(Darwin)
            pthread_cond_timedwait_relative_np(condition, mutex, &time)
        #else
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let nanoseconds = now.tv_nsec + time.tv_nsec
            time.tv_sec += now.tv_sec + nanoseconds / 1_000_000_000
            time.tv_nsec = nanoseconds % 1_000_000_000
            pthread_cond_timedwait(condition, mutex, &time)
        #endif
    }
}
