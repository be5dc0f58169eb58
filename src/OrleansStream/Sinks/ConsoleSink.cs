using System.Text;
using OrleansStream.Jobs;

namespace OrleansStream.Sinks;

/// <summary>Prints a line per record, at least once: after a restart the lines since the last checkpoint are printed again.</summary>
/// <typeparam name="T">The type of a record.</typeparam>
/// <param name="format">Makes the line of a record; the record's own text when null.</param>
/// <param name="writer">Where lines go; the console when null. It may be called by several threads, one at a time.</param>
public sealed class ConsoleSink<T>(Func<T, string?>? format = null, TextWriter? writer = null) : Sink<T>
{
    private readonly TextWriter? _writer = writer is null ? null : TextWriter.Synchronized(writer);

    /// <inheritdoc/>
    public override SinkGuarantee Guarantee => SinkGuarantee.AtLeastOnce;

    /// <inheritdoc/>
    public override ValueTask<SinkWriter<T>> OpenAsync(SinkContext context, CancellationToken cancellation) =>
        new(new Writer(format ?? (static value => value?.ToString()), _writer ?? Console.Out));

    private sealed class Writer(Func<T, string?> format, TextWriter target) : SinkWriter<T>
    {
        private readonly StringBuilder _lines = new();

        public override void Write(ReadOnlySpan<T> values, ReadOnlySpan<long> timestamps)
        {
            // One write per batch, so that lines of different subtasks do not mix.
            foreach (ref readonly var value in values) _lines.AppendLine(format(value));
            target.Write(_lines);
            _lines.Clear();
        }

        public override async ValueTask<string?> PrepareAsync(CheckpointId checkpoint, CancellationToken cancellation)
        {
            await target.FlushAsync(cancellation);
            return null;
        }
    }
}
