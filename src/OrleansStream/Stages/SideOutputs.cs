using OrleansStream.Sources;

namespace OrleansStream.Stages;

/// <summary>A side output whose record type is known only to whoever emits to it.</summary>
internal interface ISideOutput
{
    void Emit(ISideRecord record);

    void Flush();

    void Watermark(long watermark);
}

/// <inheritdoc/>
internal sealed class SideOutputTarget<T>(Output<T> output) : ISideOutput
{
    public Output<T> Output => output;

    public void Emit(ISideRecord record)
    {
        if (record is not SideRecord<T> typed) throw new Jobs.StreamException($"Side output '{record.Output}' is read as {typeof(T).Name}, but a source writes records of another type to it.");
        output.Emit(typed.Value, typed.Timestamp);
    }

    public void Flush() => output.Flush();

    public void Watermark(long watermark) => output.Watermark(watermark);
}
