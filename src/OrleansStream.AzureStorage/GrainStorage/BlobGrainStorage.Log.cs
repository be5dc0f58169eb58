using Microsoft.Extensions.Logging;

namespace OrleansStream.GrainStorage;

internal sealed partial class BlobGrainStorage
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Grain storage '{Name}' keeps states in blobs of container '{Container}'.")]
    private partial void LogOpened(string name, string container);

    [LoggerMessage(Level = LogLevel.Error, Message = "Grain storage '{Name}' cannot use container '{Container}'. {Remedy}")]
    private partial void LogNotOpened(Exception error, string name, string container, string remedy);

    [LoggerMessage(Level = LogLevel.Error, Message = "Grain storage failed {What} blob '{Blob}' of container '{Container}'.")]
    private partial void LogFailed(Exception error, string what, string blob, string container);
}
