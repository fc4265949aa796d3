import DSSupport
import GRDB
import GRDBSQLite

/// A cell of a query's result, as text: numbers to nine significant digits.
package struct SQLCell: Hashable, Comparable, Sendable {
    let text: String

    static func row(_ value: JSONValue) throws -> [SQLCell] {
        guard let cells = value.arrayValue else { throw ItemReason("'check.rows': expected arrays") }
        return cells.map { cell in
            switch cell {
            case .integer(let integer): SQLCell(text: String(integer))
            case .number(let number): SQLCell(number)
            case .null: SQLCell(text: "NULL")
            default: SQLCell(text: cell.stringValue ?? cell.serializedString())
            }
        }
    }

    init(text: String) { self.text = text }

    init(_ number: Double) {
        // Nine significant digits: what two ways of summing agree on.
        guard number != 0, number.isFinite else {
            text = "\(number == 0 ? 0 : number)"
            return
        }
        var scale = 1.0
        var magnitude = abs(number)
        while magnitude >= 1e9 {
            magnitude /= 10
            scale /= 10
        }
        while magnitude < 1e8 {
            magnitude *= 10
            scale *= 10
        }
        let rounded = (number * scale).rounded() / scale
        text = rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : "\(rounded)"
    }

    init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self.init(text: "NULL")
        case .int64(let integer): self.init(text: String(integer))
        case .double(let number): self.init(number)
        case .string(let string): self.init(text: string)
        case .blob(let data): self.init(text: data.map { String($0, radix: 16) }.joined(separator: " "))
        }
    }

    package static func < (left: SQLCell, right: SQLCell) -> Bool { left.text < right.text }
}

/// Runs a model's query on a fresh in-memory database.
enum SQLCheck {
    /// Instructions of SQLite's virtual machine after which a query counts as failed: about two seconds of one core. No
    /// clock and no second thread, so the verdict is the same on every machine.
    private static let instructionLimit: Int32 = 100_000_000
    /// Rows after which a query counts as failed: a recursive one makes them without end.
    private static let rowLimit = 100_000

    /// The rows of a single query; nil if it fails, is no single statement, or runs too long.
    static func run(_ query: String, on script: String) -> [[SQLCell]]? {
        var query = query
        while let last = query.last, last == ";" || last.isWhitespace { query.removeLast() }
        guard let database = try? DatabaseQueue() else { return nil }
        guard (try? database.write { try $0.execute(sql: script) }) != nil else { return nil }
        // GRDB refuses several statements in one fetch, and reads cannot write.
        return try? database.read { connection in
            // The first call of the handler is the last: its result, not 0, ends the query with an error.
            unsafe sqlite3_progress_handler(connection.sqliteConnection, instructionLimit, { _ in 1 }, nil)
            defer { unsafe sqlite3_progress_handler(connection.sqliteConnection, 0, nil, nil) }
            let cursor = try Row.fetchCursor(connection, sql: query)
            var rows: [[SQLCell]] = []
            while let row = try cursor.next() {
                guard rows.count < rowLimit else { throw ItemReason("more than \(rowLimit) rows") }
                rows.append(row.databaseValues.map { SQLCell($0) })
            }
            return rows
        }
    }

    static func agree(_ found: [[SQLCell]], _ expected: [[SQLCell]], ordered: Bool) -> Bool {
        if ordered { return found == expected }
        func sorted(_ rows: [[SQLCell]]) -> [[SQLCell]] { rows.sorted { $0.lexicographicallyPrecedes($1) } }
        return sorted(found) == sorted(expected)
    }
}
