import DSServing

/// The messages of the service whose content is small: they are JSON inside, in the names of the protocol.
enum ServiceMessages {
    static let schema = ConfigurationSchema(ConfigurationSchema.table + "\n" + table)

    private static let table = """
        message ServerLiveRequest
        message ServerLiveResponse live=1:bool
        message ServerReadyRequest
        message ServerReadyResponse ready=1:bool
        message ModelReadyRequest name=1:string version=2:string
        message ModelReadyResponse ready=1:bool
        message ServerMetadataRequest
        message ServerMetadataResponse name=1:string version=2:string extensions=3:[string]
        message ModelMetadataRequest name=1:string version=2:string
        message ModelMetadataResponse name=1:string versions=2:[string] platform=3:string
          inputs=4:[ModelMetadataResponse.TensorMetadata] outputs=5:[ModelMetadataResponse.TensorMetadata]
        message ModelMetadataResponse.TensorMetadata name=1:string datatype=2:string shape=3:[int64]
        message ModelConfigRequest name=1:string version=2:string
        message ModelConfigResponse config=1:ModelConfig
        message ModelStatisticsRequest name=1:string version=2:string
        message StatisticDuration count=1:uint64 ns=2:uint64
        message InferStatistics success=1:StatisticDuration fail=2:StatisticDuration queue=3:StatisticDuration
          compute_input=4:StatisticDuration compute_infer=5:StatisticDuration compute_output=6:StatisticDuration
          cache_hit=7:StatisticDuration cache_miss=8:StatisticDuration
        message InferResponseStatistics compute_infer=1:StatisticDuration compute_output=2:StatisticDuration
          success=3:StatisticDuration fail=4:StatisticDuration empty_response=5:StatisticDuration
          cancel=6:StatisticDuration
        message InferBatchStatistics batch_size=1:uint64 compute_input=2:StatisticDuration
          compute_infer=3:StatisticDuration compute_output=4:StatisticDuration
        message MemoryUsage type=1:string id=2:int64 byte_size=3:uint64
        message ModelStatistics name=1:string version=2:string last_inference=3:uint64 inference_count=4:uint64
          execution_count=5:uint64 inference_stats=6:InferStatistics batch_stats=7:[InferBatchStatistics]
          memory_usage=8:[MemoryUsage] response_stats=9:{InferResponseStatistics}
        message ModelStatisticsResponse model_stats=1:[ModelStatistics]
        message ModelRepositoryParameter bool_param=1:bool int64_param=2:int64 string_param=3:string
          bytes_param=4:bytes
        message RepositoryIndexRequest repository_name=1:string ready=2:bool
        message RepositoryIndexResponse models=1:[RepositoryIndexResponse.ModelIndex]
        message RepositoryIndexResponse.ModelIndex name=1:string version=2:string state=3:string reason=4:string
        message RepositoryModelLoadRequest repository_name=1:string model_name=2:string
          parameters=3:{ModelRepositoryParameter}
        message RepositoryModelLoadResponse
        message RepositoryModelUnloadRequest repository_name=1:string model_name=2:string
          parameters=3:{ModelRepositoryParameter}
        message RepositoryModelUnloadResponse
        message SystemSharedMemoryStatusRequest name=1:string
        message SystemSharedMemoryStatusResponse regions=1:{SystemSharedMemoryStatusResponse.RegionStatus}
        message SystemSharedMemoryStatusResponse.RegionStatus name=1:string key=2:string offset=3:uint64
          byte_size=4:uint64
        message SystemSharedMemoryRegisterRequest name=1:string key=2:string offset=3:uint64 byte_size=4:uint64
        message SystemSharedMemoryRegisterResponse
        message SystemSharedMemoryUnregisterRequest name=1:string
        message SystemSharedMemoryUnregisterResponse
        message CudaSharedMemoryStatusRequest name=1:string
        message CudaSharedMemoryStatusResponse regions=1:{CudaSharedMemoryStatusResponse.RegionStatus}
        message CudaSharedMemoryStatusResponse.RegionStatus name=1:string device_id=2:uint64 byte_size=3:uint64
        message CudaSharedMemoryUnregisterRequest name=1:string
        message CudaSharedMemoryUnregisterResponse
        message TraceSettingRequest settings=1:{TraceSettingRequest.SettingValue} model_name=2:string
        message TraceSettingRequest.SettingValue value=1:[string]
        message TraceSettingResponse settings=1:{TraceSettingResponse.SettingValue}
        message TraceSettingResponse.SettingValue value=1:[string]
        message LogSettingsRequest settings=1:{LogSettingsRequest.SettingValue}
        message LogSettingsRequest.SettingValue bool_param=1:bool uint32_param=2:uint32 string_param=3:string
        message LogSettingsResponse settings=1:{LogSettingsResponse.SettingValue}
        message LogSettingsResponse.SettingValue bool_param=1:bool uint32_param=2:uint32 string_param=3:string
        message HealthCheckRequest service=1:string
        message HealthCheckResponse status=1:HealthCheckResponse.ServingStatus
        enum HealthCheckResponse.ServingStatus UNKNOWN SERVING NOT_SERVING SERVICE_UNKNOWN
        """
}
