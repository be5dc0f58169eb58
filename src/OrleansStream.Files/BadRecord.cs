using System.Diagnostics.Metrics;

namespace OrleansStream;

/// <summary>What a source does with a row or line that cannot be read.</summary>
public enum BadRecords
{
    /// <summary>The job fails with a <see cref="Jobs.BadRecordException"/> that says where and why.</summary>
    Fail,

    /// <summary>It is counted and goes to the side output <see cref="Files.Bad"/>; reading goes on with the next.</summary>
    SideOutput,
}

/// <summary>A row or line that could not be read.</summary>
/// <param name="File">The file, as it was given to the source.</param>
/// <param name="Line">The line of the file where the row begins, from 1.</param>
/// <param name="Column">In CSV the number of the field, from 1; in JSON lines the byte within the line where reading stopped, from 1; null when it is the whole row.</param>
/// <param name="Reason">What is wrong with it.</param>
/// <param name="Text">The row as it stands in the file; of one that exceeds the size limit the first <see cref="TextLimitBytes"/> bytes.</param>
[GenerateSerializer, Immutable, Alias("os.files.BadRecord")]
public sealed record BadRecord(
    [property: Id(0)] string File, [property: Id(1)] long Line, [property: Id(2)] int? Column, [property: Id(3)] string Reason, [property: Id(4)] string Text)
{
    /// <summary>How much of a row is kept that exceeds the size limit.</summary>
    public const int TextLimitBytes = 1024;

    internal string Describe() => Column is { } column ? $"{File}, line {Line}, column {column}: {Reason}" : $"{File}, line {Line}: {Reason}";
}

/// <summary>Counts of the file sources.</summary>
internal static class FileMetrics
{
    private static readonly Meter Meter = new("OrleansStream.Files");

    public static readonly Counter<long> BadRecords =
        Meter.CreateCounter<long>("orleansstream.files.bad_records", "{record}", "Rows and lines that could not be read and went to the side output.");
}

/// <summary>A field that is not what the mapping asks for. The reader turns it into a <see cref="BadRecord"/> or a <see cref="Jobs.BadRecordException"/>.</summary>
internal sealed class FieldException(string reason, int? column) : Exception(reason)
{
    public int? Column => column;
}
