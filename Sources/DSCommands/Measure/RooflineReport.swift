import DSKernels
import DSSupport

/// `bench --roofline` as a table or as JSON.
struct RooflineReport {
    let tier: KernelTier
    let rooflines: [Roofline]

    /// 1, 2, 4 and so on, and all.
    static func counts(upTo threads: Int) -> [Int] {
        var counts: [Int] = []
        var count = 1
        while count < threads {
            counts.append(count)
            count *= 2
        }
        return counts + [threads]
    }

    var table: String {
        var table = TextTable([
            ("threads", .right), ("read GB/s", .right), ("fp32 GFLOP/s", .right), ("bf16 GFLOP/s", .right),
            ("int8 GOP/s", .right),
        ])
        for roofline in rooflines {
            let peaks = Roofline.Arithmetic.allCases.map { kind in
                roofline.peaks[kind].map { Units.decimal($0 / 1e9, 0) } ?? "-"
            }
            table.add(["\(roofline.threads)", Units.decimal(roofline.readBandwidth / 1e9, 1)] + peaks)
        }
        let bytes = Units.bytes(rooflines.map(\.bufferBytes).max() ?? 0)
        return table.text + "\n\nkernel tier \(tier.rawValue); memory was read from buffers of up to \(bytes)"
    }

    var json: JSONValue {
        let rows = rooflines.map { roofline -> JSONValue in
            var object = JSONObject([
                ("threads", .integer(Int64(roofline.threads))),
                ("read_bytes_per_second", .number(roofline.readBandwidth)),
                ("buffer_bytes", .integer(Int64(roofline.bufferBytes))),
            ])
            for kind in Roofline.Arithmetic.allCases {
                guard let peak = roofline.peaks[kind] else { continue }
                object.insert(JSONString("\(kind.rawValue)_operations_per_second"), .number(peak))
            }
            return .object(object)
        }
        return ["tier": .text(tier.rawValue), "rooflines": .array(rows)]
    }
}
