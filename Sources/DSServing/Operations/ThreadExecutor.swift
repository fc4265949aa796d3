import Foundation

/// Runs tasks on threads of its own, in the order in which they become ready. It lives as long as the process.
package final class ThreadExecutor: TaskExecutor {
    /// What the threads share.
    private final class Queue: @unchecked Sendable {
        // SAFETY: `jobs` is only touched while `condition` is locked.
        private let condition = NSCondition()
        private var jobs: [UnownedJob] = []

        func add(_ job: UnownedJob) {
            condition.lock()
            jobs.append(job)
            condition.signal()
            condition.unlock()
        }

        func next() -> UnownedJob {
            condition.lock()
            defer { condition.unlock() }
            while jobs.isEmpty { condition.wait() }
            return jobs.removeFirst()
        }
    }

    private let queue = Queue()

    package init(name: String, threadCount: Int) {
        let executor = asUnownedTaskExecutor()
        for index in 0..<max(1, threadCount) {
            let thread = Thread { [queue] in
                while true { queue.next().runSynchronously(on: executor) }
            }
            thread.name = "\(name)-\(index)"
            thread.start()
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) { queue.add(UnownedJob(job)) }

    /// For requests whose bodies take long to read: two at a time, so that the engines keep their processors.
    package static let largeRequests = ThreadExecutor(name: "large-requests", threadCount: 2)

    /// For grammars, whose cost does not show in their size: one after the other, so that all else goes on.
    package static let grammars = ThreadExecutor(name: "grammars", threadCount: 1)
}
