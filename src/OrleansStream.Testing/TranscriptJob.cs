using System.Globalization;
using System.Text.Json;
using OrleansStream.Graph;

namespace OrleansStream.Testing;

/// <summary>
/// A job as transcripts see it: its graph, and its inputs and outputs by name. Records are read and written as JSON with camel-case names, as <see cref="Json"/> says.
/// </summary>
public sealed class TranscriptJob
{
    /// <summary>The name of the input or output of a job that has one only.</summary>
    public const string Only = "";

    private readonly Dictionary<string, ITranscriptInput> _inputs = [];
    private readonly Dictionary<string, ITranscriptOutput> _outputs = [];

    /// <summary>Makes a job without inputs and outputs.</summary>
    /// <param name="define">Makes the graph over the inputs and outputs that are added.</param>
    public TranscriptJob(Action<JobGraph> define)
    {
        ArgumentNullException.ThrowIfNull(define);
        Define = define;
    }

    /// <summary>Makes a job of one input and one output.</summary>
    /// <param name="define">Makes the graph between them.</param>
    public static TranscriptJob Of<TIn, TOut>(Action<JobGraph, TestInput<TIn>, TestOutput<TOut>> define)
    {
        ArgumentNullException.ThrowIfNull(define);
        var input = new TestInput<TIn>();
        var output = new TestOutput<TOut>();
        return new TranscriptJob(graph => define(graph, input, output)).With(Only, input).With(Only, output);
    }

    /// <summary>How records are read and written.</summary>
    public JsonSerializerOptions Json { get; init; } = new(JsonSerializerDefaults.Web);

    /// <summary>How the job runs. A transcript may name another parallelism.</summary>
    public HarnessOptions Options { get; init; } = new();

    internal Action<JobGraph> Define { get; }

    internal IEnumerable<(string Name, ITranscriptOutput Output)> Outputs => _outputs.Select(static output => (output.Key, output.Value));

    /// <summary>Adds an input.</summary>
    /// <param name="name">What transcripts call it.</param>
    /// <param name="input">The input.</param>
    public TranscriptJob With<T>(string name, TestInput<T> input)
    {
        _inputs.Add(name, new TranscriptInput<T>(input));
        return this;
    }

    /// <summary>Adds an output.</summary>
    /// <param name="name">What transcripts call it.</param>
    /// <param name="output">The output.</param>
    public TranscriptJob With<T>(string name, TestOutput<T> output)
    {
        _outputs.Add(name, new TranscriptOutput<T>(output));
        return this;
    }

    internal ITranscriptInput Input(string? name) => Find(_inputs, name, "input");

    internal ITranscriptOutput Output(string? name) => Find(_outputs, name, "output");

    internal IEnumerable<ITranscriptInput> Inputs(string? name) => name is null ? _inputs.Values : [Input(name)];

    private static T Find<T>(Dictionary<string, T> all, string? name, string what)
    {
        if (name is null && all.Count == 1) return all.Values.First();
        if (name is not null && all.TryGetValue(name, out var found)) return found;
        var names = string.Join(", ", all.Keys.Select(static key => $"'{key}'"));
        throw new FormatException(name is null ? $"the job has several {what}s; name one of {names}" : $"the job has no {what} '{name}'; it has {names}");
    }
}

/// <summary>An input whose record type does not matter.</summary>
internal interface ITranscriptInput
{
    void Add(JsonElement record, long? time, int split, JsonSerializerOptions json);

    void Watermark(long time, int? split);

    void Idle(int? split);

    void End(int? split);
}

internal sealed class TranscriptInput<T>(TestInput<T> input) : ITranscriptInput
{
    public void Add(JsonElement record, long? time, int split, JsonSerializerOptions json)
    {
        var value = record.Deserialize<T>(json)!;
        input.Add(value, time ?? Sources.SourceOutput<T>.NoTimestamp, split);
    }

    public void Watermark(long time, int? split) => input.Watermark(time, split);

    public void Idle(int? split) => input.Idle(split);

    public void End(int? split) => input.End(split);
}

/// <summary>An output whose record type does not matter.</summary>
internal interface ITranscriptOutput
{
    /// <summary>What has come since this was last called.</summary>
    IReadOnlyList<TranscriptRecord> Take(JsonSerializerOptions json);
}

internal sealed class TranscriptOutput<T>(TestOutput<T> output) : ITranscriptOutput
{
    public IReadOnlyList<TranscriptRecord> Take(JsonSerializerOptions json) =>
        [.. output.Take().Select(record => new TranscriptRecord(JsonSerializer.SerializeToElement(record.Value, json), record.Timestamp))];
}

/// <summary>A record of an output, expected or found.</summary>
/// <param name="Record">The record.</param>
/// <param name="Time">Its time; null when any will do.</param>
internal sealed record TranscriptRecord(JsonElement Record, long? Time)
{
    public bool Matches(TranscriptRecord found) => (Time is null || Time == found.Time) && JsonElement.DeepEquals(Record, found.Record);

    public override string ToString() => Time is { } time ? string.Create(CultureInfo.InvariantCulture, $"{{\"record\":{Record.GetRawText()},\"time\":{time}}}") : $"{{\"record\":{Record.GetRawText()}}}";
}
