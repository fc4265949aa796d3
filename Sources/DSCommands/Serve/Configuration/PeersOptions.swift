/// What options of vLLM, SGLang and llama-server are called here, for people who bring their command lines along.
package enum PeersOptions {
    /// What to write instead of an option, named without dashes; nil for one that none of them has, or that is ours.
    package static func hint(for name: String) -> String? { hints[name.replacing("_", with: "-")] }

    private static let cacheMemory = "--cache-memory MiB"
    private static let oneProcess = "not needed, one process uses all processors, or --threads of them"
    private static let context = "\(cacheMemory), which bounds it; the context is the model's"
    private static let download = "--model-dir PATH of a model that is there: none is downloaded"
    private static let noAdapters = "not supported, adapters have to be merged before"
    private static let fromModel = "not needed, the model's files say it"
    private static let fromTemplate = "not needed, the model's template says it"

    package static let hints = [
        "max-num-seqs": "--max-batch-size", "max-running-requests": "--max-batch-size", "parallel": "--max-batch-size",
        "np": "--max-batch-size", "hf": download, "hfr": download, "hf-repo": download,
        "a": "--served-model-name", "c": context, "ngl": oneProcess, "b": "--max-batch-tokens",
        "fa": "not needed, attention is always computed in tiles",
        "flash-attn": "not needed, attention is always computed in tiles",
        "mlock": "--page-in", "no-mmap": "--page-in", "n": "max_tokens of a request",
        "predict": "max_tokens of a request",
        "n-predict": "max_tokens of a request", "s": "seed of a request", "seed": "seed of a request",
        "temp": "temperature of a request", "slots": "not needed, /health and /metrics count requests",
        "cache-reuse": "--prefix-cache", "swap-space": "--prefix-cache-dir", "lora": noAdapters,
        "lora-modules": noAdapters,
        "enable-lora": noAdapters, "root-path": "not supported, a proxy has to remove it",
        "max-num-batched-tokens": "--max-batch-tokens", "chunked-prefill-size": "--max-batch-tokens",
        "ubatch-size": "--max-batch-tokens", "ub": "--max-batch-tokens",
        "enable-chunked-prefill": "not needed, prompts are cut where answers wait (--max-inter-token-latency-ms)",
        "cont-batching": "not needed, requests always share steps",
        "max-model-len": context, "ctx-size": context, "context-length": context,
        "gpu-memory-utilization": cacheMemory, "mem-fraction-static": cacheMemory, "kv-cache-memory-bytes": cacheMemory,
        "kv-cache-dtype": "--cache-type", "cache-type-k": "--cache-type", "cache-type-v": "--cache-type",
        "disable-radix-cache": "--no-prefix-cache",
        "model-path": "--model-dir", "alias": "--served-model-name",
        "tensor-parallel-size": oneProcess, "tp-size": oneProcess, "tp": oneProcess,
        "pipeline-parallel-size": oneProcess,
        "data-parallel-size": oneProcess, "n-gpu-layers": oneProcess, "threads-batch": "--threads",
        "threads-http": "not needed, connections need no threads of their own",
        "dtype": fromModel, "quantization": fromModel, "load-format": fromModel, "tokenizer": fromModel,
        "trust-remote-code": "not needed, no code of models is run", "jinja": "not needed, templates are always used",
        "chat-template-file": "--chat-template",
        "tool-call-parser": fromTemplate, "reasoning-parser": fromTemplate, "reasoning-format": fromTemplate,
        "enable-auto-tool-choice": "not needed, tools are always answered",
        "guided-decoding-backend": "not needed, there is one", "grammar-backend": "not needed, there is one",
        "speculative-config": "--speculation", "speculative-algorithm": "--speculation", "draft-max": "--draft-tokens",
        "task": "--embeddings", "is-embedding": "--embeddings", "embedding": "--embeddings",
        "uvicorn-log-level": "--log-level", "disable-log-requests": "not needed, lines hold no text of requests",
        "timeout": "--request-timeout", "metrics": "not needed, /metrics is always there",
        "enable-metrics": "not needed, /metrics is always there",
        "ssl-key-file": "--ssl-keyfile", "ssl-cert-file": "--ssl-certfile",
        "preemption-mode": "not needed, requests that lose their blocks are computed again",
        "schedule-policy": "--scheduling-policy",
    ]
}
