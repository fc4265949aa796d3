extension ConfigurationSchema {
    /// The messages of a Triton model configuration: `name=number:type`, `[type]` for repeated fields, `{type}` for maps, `{#type}` for maps with numbers as keys.
    package static let table = """
        message ModelRateLimiter resources=1:[ModelRateLimiter.Resource] priority=2:uint32
        message ModelRateLimiter.Resource name=1:string global=2:bool count=3:uint32
        message ModelInstanceGroup name=1:string kind=4:ModelInstanceGroup.Kind count=2:int32
          rate_limiter=6:ModelRateLimiter gpus=3:[int32] secondary_devices=8:[ModelInstanceGroup.SecondaryDevice]
          profile=5:[string] passive=7:bool host_policy=9:string
        message ModelInstanceGroup.SecondaryDevice kind=1:ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind
          device_id=2:int64
        message ModelTensorReshape shape=1:[int64]
        message ModelInput name=1:string data_type=2:DataType format=3:ModelInput.Format dims=4:[int64]
          reshape=5:ModelTensorReshape is_shape_tensor=6:bool allow_ragged_batch=7:bool optional=8:bool
          is_non_linear_format_io=9:bool
        message ModelOutput name=1:string data_type=2:DataType dims=3:[int64] reshape=5:ModelTensorReshape
          label_filename=4:string is_shape_tensor=6:bool is_non_linear_format_io=7:bool
        message BatchInput kind=1:BatchInput.Kind target_name=2:[string] data_type=3:DataType source_input=4:[string]
        message BatchOutput target_name=1:[string] kind=2:BatchOutput.Kind source_input=3:[string]
        message ModelVersionPolicy latest=1:ModelVersionPolicy.Latest all=2:ModelVersionPolicy.All
          specific=3:ModelVersionPolicy.Specific
        message ModelVersionPolicy.Latest num_versions=1:uint32
        message ModelVersionPolicy.All
        message ModelVersionPolicy.Specific versions=1:[int64]
        message ModelOptimizationPolicy graph=1:ModelOptimizationPolicy.Graph
          priority=2:ModelOptimizationPolicy.ModelPriority cuda=3:ModelOptimizationPolicy.Cuda
          execution_accelerators=4:ModelOptimizationPolicy.ExecutionAccelerators
          input_pinned_memory=5:ModelOptimizationPolicy.PinnedMemoryBuffer
          output_pinned_memory=6:ModelOptimizationPolicy.PinnedMemoryBuffer gather_kernel_buffer_threshold=7:uint32
          eager_batching=8:bool
        message ModelOptimizationPolicy.Graph level=1:int32
        message ModelOptimizationPolicy.Cuda graphs=1:bool busy_wait_events=2:bool
          graph_spec=3:[ModelOptimizationPolicy.Cuda.GraphSpec] output_copy_stream=4:bool
        message ModelOptimizationPolicy.Cuda.GraphSpec batch_size=1:int32
          input=2:{ModelOptimizationPolicy.Cuda.GraphSpec.Shape}
          graph_lower_bound=3:ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound
        message ModelOptimizationPolicy.Cuda.GraphSpec.Shape dim=1:[int64]
        message ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound batch_size=1:int32
          input=2:{ModelOptimizationPolicy.Cuda.GraphSpec.Shape}
        message ModelOptimizationPolicy.ExecutionAccelerators
          gpu_execution_accelerator=1:[ModelOptimizationPolicy.ExecutionAccelerators.Accelerator]
          cpu_execution_accelerator=2:[ModelOptimizationPolicy.ExecutionAccelerators.Accelerator]
        message ModelOptimizationPolicy.ExecutionAccelerators.Accelerator name=1:string parameters=2:{string}
        message ModelOptimizationPolicy.PinnedMemoryBuffer enable=1:bool
        message ModelQueuePolicy timeout_action=1:ModelQueuePolicy.TimeoutAction default_timeout_microseconds=2:uint64
          allow_timeout_override=3:bool max_queue_size=4:uint32
        message ModelDynamicBatching preferred_batch_size=1:[int32] max_queue_delay_microseconds=2:uint64
          preserve_ordering=3:bool priority_levels=4:uint64 default_priority_level=5:uint64
          default_queue_policy=6:ModelQueuePolicy priority_queue_policy=7:{#ModelQueuePolicy}
        message ModelSequenceBatching direct=3:ModelSequenceBatching.StrategyDirect
          oldest=4:ModelSequenceBatching.StrategyOldest max_sequence_idle_microseconds=1:uint64
          control_input=2:[ModelSequenceBatching.ControlInput] state=5:[ModelSequenceBatching.State]
          iterative_sequence=6:bool
        message ModelSequenceBatching.Control kind=1:ModelSequenceBatching.Control.Kind int32_false_true=2:[int32]
          fp32_false_true=3:[float] bool_false_true=5:[bool] data_type=4:DataType
        message ModelSequenceBatching.ControlInput name=1:string control=2:[ModelSequenceBatching.Control]
        message ModelSequenceBatching.InitialState data_type=1:DataType dims=2:[int64] zero_data=3:bool
          data_file=4:string name=5:string
        message ModelSequenceBatching.State input_name=1:string output_name=2:string data_type=3:DataType
          dims=4:[int64] initial_state=5:[ModelSequenceBatching.InitialState] use_same_buffer_for_input_output=6:bool
          use_growable_memory=7:bool
        message ModelSequenceBatching.StrategyDirect max_queue_delay_microseconds=1:uint64
          minimum_slot_utilization=2:float
        message ModelSequenceBatching.StrategyOldest max_candidate_sequences=1:int32 preferred_batch_size=2:[int32]
          max_queue_delay_microseconds=3:uint64 preserve_ordering=4:bool
        message ModelEnsembling step=1:[ModelEnsembling.Step] max_inflight_requests=2:uint32
        message ModelEnsembling.Step model_name=1:string model_version=2:int64 input_map=3:{string}
          output_map=4:{string} model_namespace=5:string
        message ModelParameter string_value=1:string
        message ModelWarmup name=1:string batch_size=2:uint32 inputs=3:{ModelWarmup.Input} count=4:uint32
        message ModelWarmup.Input data_type=1:DataType dims=2:[int64] zero_data=3:bool random_data=4:bool
          input_data_file=5:string
        message ModelOperations op_library_filename=1:[string]
        message ModelTransactionPolicy decoupled=1:bool
        message ModelRepositoryAgents agents=1:[ModelRepositoryAgents.Agent]
        message ModelRepositoryAgents.Agent name=1:string parameters=2:{string}
        message ModelResponseCache enable=1:bool
        message ModelMetrics metric_control=1:[ModelMetrics.MetricControl]
        message ModelMetrics.MetricControl metric_identifier=1:ModelMetrics.MetricControl.MetricIdentifier
          histogram_options=2:ModelMetrics.MetricControl.HistogramOptions
        message ModelMetrics.MetricControl.MetricIdentifier family=1:string
        message ModelMetrics.MetricControl.HistogramOptions buckets=1:[double]
        message ModelConfig name=1:string platform=2:string backend=17:string runtime=25:string
          version_policy=3:ModelVersionPolicy max_batch_size=4:int32 input=5:[ModelInput] output=6:[ModelOutput]
          batch_input=20:[BatchInput] batch_output=21:[BatchOutput] optimization=12:ModelOptimizationPolicy
          dynamic_batching=11:ModelDynamicBatching sequence_batching=13:ModelSequenceBatching
          ensemble_scheduling=15:ModelEnsembling instance_group=7:[ModelInstanceGroup] default_model_filename=8:string
          cc_model_filenames=9:{string} metric_tags=10:{string} parameters=14:{ModelParameter}
          model_warmup=16:[ModelWarmup] model_operations=18:ModelOperations
          model_transaction_policy=19:ModelTransactionPolicy model_repository_agents=23:ModelRepositoryAgents
          response_cache=24:ModelResponseCache model_metrics=26:ModelMetrics
        enum DataType TYPE_INVALID TYPE_BOOL TYPE_UINT8 TYPE_UINT16 TYPE_UINT32 TYPE_UINT64 TYPE_INT8 TYPE_INT16
          TYPE_INT32 TYPE_INT64 TYPE_FP16 TYPE_FP32 TYPE_FP64 TYPE_STRING TYPE_BF16
        enum ModelInstanceGroup.Kind KIND_AUTO KIND_GPU KIND_CPU KIND_MODEL
        enum ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind KIND_NVDLA
        enum ModelInput.Format FORMAT_NONE FORMAT_NHWC FORMAT_NCHW
        enum BatchInput.Kind BATCH_ELEMENT_COUNT BATCH_ACCUMULATED_ELEMENT_COUNT
          BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO BATCH_MAX_ELEMENT_COUNT_AS_SHAPE BATCH_ITEM_SHAPE
          BATCH_ITEM_SHAPE_FLATTEN
        enum BatchOutput.Kind BATCH_SCATTER_WITH_INPUT_SHAPE
        enum ModelOptimizationPolicy.ModelPriority PRIORITY_DEFAULT PRIORITY_MAX PRIORITY_MIN
        enum ModelQueuePolicy.TimeoutAction REJECT DELAY
        enum ModelSequenceBatching.Control.Kind CONTROL_SEQUENCE_START CONTROL_SEQUENCE_READY CONTROL_SEQUENCE_END
          CONTROL_SEQUENCE_CORRID
        """
}
