internal import CDSKernels
package import DSTensor

/// One sequence of a ragged batch: query rows `queryStart..<queryStart + queryCount` are its last positions.
@safe package struct AttentionSequence: BitwiseCopyable {
    package var queryStart: Int32
    package var queryCount: Int32
    /// Key rows of the sequence, including those of the queries.
    package var contextLength: Int32
    /// The first key row of the sequence in contiguous keys (`blocks` nil).
    package var keyStart: Int32
    /// [ceil(contextLength / blockSize)] block indices in the cache.
    package var blocks: UnsafePointer<Int32>?

    package init(
        queryStart: Int, queryCount: Int, contextLength: Int, blocks: UnsafePointer<Int32>?, keyStart: Int = 0
    ) {
        self.queryStart = Int32(queryStart)
        self.queryCount = Int32(queryCount)
        self.contextLength = Int32(contextLength)
        self.keyStart = Int32(keyStart)
        unsafe self.blocks = unsafe blocks
    }
}

/// Causal attention of ragged query rows over paged or contiguous keys and values.
@safe package struct AttentionArguments {
    /// [rows, heads, keyDimension]
    package var queries: UnsafePointer<Float>
    package var queryStride: Int
    /// Key row of slot s at `keys + s * keyRowBytes`, kv head g at `g * keyDimension` elements.
    package var keys: UnsafeRawPointer
    package var keyRowBytes: Int
    /// As keys, kv head g at `g * valueDimension`. MLA passes the keys again (a view of their first values).
    package var values: UnsafeRawPointer
    package var valueRowBytes: Int
    /// F32, F16, BF16 or Q8_0; heads are whole blocks.
    package var cacheType: DType
    /// [rows, heads, valueDimension]
    package var out: UnsafeMutablePointer<Float>
    package var outStride: Int
    package var sequences: UnsafePointer<AttentionSequence>
    package var sequenceCount: Int
    package var headCount: Int
    package var kvHeadCount: Int
    package var keyDimension: Int
    package var valueDimension: Int
    /// Slots per cache block; not used for contiguous keys.
    package var blockSize: Int
    package var scale: Float
    /// The number of latest keys that a query sees; nil: all.
    package var window: Int?
    /// Sequences from this one on are decoded: their keys are visited in ranges that follow from the context's length.
    package var decodedFrom: Int
    /// Where workers leave the results of ranges, so that several can share a decoded row.
    package var workspace: AttentionWorkspace?

    package init(
        queries: UnsafePointer<Float>, queryStride: Int? = nil, keys: UnsafeRawPointer, keyRowBytes: Int? = nil,
        values: UnsafeRawPointer, valueRowBytes: Int? = nil, cacheType: DType, out: UnsafeMutablePointer<Float>,
        outStride: Int? = nil, sequences: UnsafePointer<AttentionSequence>, sequenceCount: Int, headCount: Int,
        kvHeadCount: Int, keyDimension: Int, valueDimension: Int, blockSize: Int = 1, scale: Float, window: Int? = nil,
        decodedFrom: Int? = nil, workspace: AttentionWorkspace? = nil
    ) {
        precondition(KVWriteArguments.supports(cacheType), "cache of \(cacheType)")
        precondition(headCount.isMultiple(of: kvHeadCount), "\(headCount) heads over \(kvHeadCount) kv heads")
        guard let keyBytes = cacheType.rowBytes(keyDimension), let valueBytes = cacheType.rowBytes(valueDimension)
        else {
            preconditionFailure("heads of \(keyDimension), \(valueDimension) in \(cacheType)")
        }
        precondition(keyDimension <= 1024 && valueDimension <= 1024, "heads of \(keyDimension), \(valueDimension)")
        unsafe self.queries = unsafe queries
        self.queryStride = queryStride ?? headCount * keyDimension
        unsafe self.keys = unsafe keys
        self.keyRowBytes = keyRowBytes ?? kvHeadCount * keyBytes
        unsafe self.values = unsafe values
        self.valueRowBytes = valueRowBytes ?? kvHeadCount * valueBytes
        self.cacheType = cacheType
        unsafe self.out = unsafe out
        self.outStride = outStride ?? headCount * valueDimension
        unsafe self.sequences = unsafe sequences
        self.sequenceCount = sequenceCount
        self.headCount = headCount
        self.kvHeadCount = kvHeadCount
        self.keyDimension = keyDimension
        self.valueDimension = valueDimension
        self.blockSize = blockSize
        self.scale = scale
        self.window = window
        self.decodedFrom = decodedFrom ?? sequenceCount
        unsafe self.workspace = unsafe workspace
    }
}

/// Memory in which workers share the decoded rows of an attention.
@unsafe package struct AttentionWorkspace {
    /// Groups of heads of decoded rows, at most 16 query heads of one kv head each, that can be shared at a time.
    package var itemCount: Int
    /// `floatCount(items: itemCount, ...)` floats.
    package var partials: UnsafeMutablePointer<Float>
    /// [itemCount] zeros, before and after every call.
    package var arrivals: UnsafeMutablePointer<Int32>

    package init(itemCount: Int, partials: UnsafeMutablePointer<Float>, arrivals: UnsafeMutablePointer<Int32>) {
        unsafe self.itemCount = itemCount
        unsafe self.partials = unsafe partials
        unsafe self.arrivals = unsafe arrivals
    }

    package static func floatCount(items: Int, valueDimension: Int) -> Int {
        items * Int(ck_attention_partial(Int64(valueDimension)))
    }
}

extension KernelSet {
    /// Attention with online softmax over key chunks of fixed size, so that a row's result depends only on its own
    /// context. Paged when a sequence has `blocks`, else over contiguous rows from `keyStart`.
    package func attention(_ arguments: AttentionArguments, share: WorkShare) {
        unsafe precondition(MemoryLayout<AttentionSequence>.stride == MemoryLayout<ck_sequence>.stride)
        unsafe arguments.sequences.withMemoryRebound(to: ck_sequence.self, capacity: arguments.sequenceCount) {
            sequences in
            let type = Int32(arguments.cacheType.rawValue)
            var args = unsafe ck_attention_args(
                q: arguments.queries, q_stride: Int64(arguments.queryStride),
                k: arguments.keys.assumingMemoryBound(to: UInt8.self),
                v: arguments.values.assumingMemoryBound(to: UInt8.self), k_row_bytes: Int64(arguments.keyRowBytes),
                v_row_bytes: Int64(arguments.valueRowBytes), k_type: type, v_type: type, out: arguments.out,
                out_stride: Int64(arguments.outStride), sequences: sequences,
                sequence_count: Int32(arguments.sequenceCount), heads: Int32(arguments.headCount),
                kv_heads: Int32(arguments.kvHeadCount), dk: Int32(arguments.keyDimension),
                dv: Int32(arguments.valueDimension), block_size: Int32(arguments.blockSize),
                window: Int32(arguments.window ?? 0), scale: arguments.scale,
                ranged_from: Int32(arguments.decodedFrom), partial_items: Int32(arguments.workspace?.itemCount ?? 0),
                partials: arguments.workspace?.partials, arrivals: arguments.workspace?.arrivals)
            var cShare = unsafe share.cShare
            unsafe table.functions.attention(&args, &cShare)
        }
    }
}
