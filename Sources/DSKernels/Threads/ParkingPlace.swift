internal import CDSKernels
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Where threads wait for a condition over atomics: spin for some tens of microseconds, then sleep until woken.
@safe final class ParkingPlace: @unchecked Sendable {
    // SAFETY: the mutex and condition are allocated once, never move and are used through their own synchronisation.

    /// About 30 µs at 4 GHz with the pause instruction of current cores.
    private static let spinLimit = 2000

    private let sleepers = Atomic<Int>(0)
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Returns when `isReady`, which must read its atomics with sequential consistency.
    @inline(__always)
    func wait(until isReady: () -> Bool) {
        for _ in 0..<ParkingPlace.spinLimit {
            if isReady() { return }
            ck_pause()
        }
        unsafe pthread_mutex_lock(mutex)
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !isReady() { unsafe pthread_cond_wait(condition, mutex) }
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// To be called after the condition was made true with sequential consistency.
    func wakeAll() {
        // Either this sees the sleeper's increment, or the sleeper's check after it sees the new condition.
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        unsafe pthread_mutex_lock(mutex)
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }
}
