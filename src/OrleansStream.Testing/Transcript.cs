using System.Text.Json;

namespace OrleansStream.Testing;

/// <summary>
/// A test case as data: JSON lines that feed a job, save and restore it, and say what is expected. One object a line:
/// <list type="bullet">
/// <item><c>{"job": "name", "about": "what it shows", "parallelism": 2}</c>, first: which job of the folder, all but the name optional</item>
/// <item><c>{"record": …, "time": 10}</c>: a record, with its event time unless the graph reads it from the record; with <c>"input"</c> and <c>"split"</c> where there are several</item>
/// <item><c>{"watermark": 999}</c>, <c>{"idle": true}</c>, <c>{"end": true}</c>: of one input and split, or of all that are not named</item>
/// <item><c>{"processingTime": 5000}</c>: the clock goes on to a time</item>
/// <item><c>{"restore": true}</c>, <c>{"restore": 3}</c> at another parallelism, <c>{"crash": true}</c> back to the last checkpoint, <c>{"checkpoint": true}</c></item>
/// <item><c>{"expect": [{"record": …, "time": 999}, …]}</c>: what came out since the last expectation of the output, in any order; <c>"inOrder": true</c> for this order; a record
/// without time may have any; with <c>"output"</c> where there are several</item>
/// <item><c>{"late": 1, "operator": "name"}</c>: how many records were late there since the last start; <c>{"watermarkOf": "operator", "is": 999}</c></item>
/// <item><c>{"comment": "…"}</c></item>
/// </list>
/// Times are milliseconds since 1970. What comes out and is not expected by the end is a failure, too.
/// </summary>
public sealed class Transcript
{
    private readonly IReadOnlyList<(int Number, JsonElement Line)> _lines;

    private Transcript(string path, IReadOnlyList<(int Number, JsonElement Line)> lines, string job, string? about, int? parallelism)
    {
        Path = path;
        _lines = lines;
        Job = job;
        About = about;
        Parallelism = parallelism;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The job that it is for.</summary>
    public string Job { get; }

    /// <summary>What it shows; null when it does not say.</summary>
    public string? About { get; }

    /// <summary>The parallelism that it asks for; null when any will do.</summary>
    public int? Parallelism { get; }

    /// <summary>Reads a file of JSON lines.</summary>
    /// <exception cref="TranscriptException">A line is no JSON object, or the first does not name a job.</exception>
    public static Transcript Read(string path)
    {
        var lines = new List<(int Number, JsonElement Line)>();
        foreach (var (index, text) in File.ReadLines(path).Index())
        {
            if (string.IsNullOrWhiteSpace(text)) continue;
            try
            {
                var line = JsonElement.Parse(text);
                if (line.ValueKind != JsonValueKind.Object) throw new JsonException("it is no object");
                lines.Add((index + 1, line));
            }
            catch (JsonException error)
            {
                throw new TranscriptException(path, index + 1, $"the line is no JSON object: {error.Message}");
            }
        }

        if (lines.Count == 0 || !lines[0].Line.TryGetProperty("job", out var job) || job.ValueKind != JsonValueKind.String)
        {
            throw new TranscriptException(path, 1, "the first line names the job: {\"job\": \"…\"}");
        }

        return new Transcript(path, lines[1..], job.GetString()!, Text(lines[0].Line, "about"), Number(lines[0].Line, "parallelism") is { } parallelism ? checked((int)parallelism) : null);
    }

    /// <summary>Reads all transcripts of a folder and those below it, in the order of their names.</summary>
    /// <exception cref="TranscriptException">One of them cannot be read, or there is none: a test without cases proves nothing.</exception>
    public static IReadOnlyList<Transcript> ReadFolder(string folder)
    {
        var files = Directory.GetFiles(folder, "*.jsonl", SearchOption.AllDirectories);
        if (files.Length == 0) throw new TranscriptException(folder, 0, "there is no transcript (*.jsonl)");
        return [.. files.Order(StringComparer.Ordinal).Select(Read)];
    }

    /// <summary>Runs the transcript as it stands.</summary>
    /// <param name="job">Makes the job.</param>
    /// <exception cref="TranscriptException">A line cannot be carried out, or what came out is not what was expected.</exception>
    public Task RunAsync(Func<TranscriptJob> job) => RunAsync(job, Parallelism, restore: false);

    /// <summary>
    /// Runs the transcript as it stands and, at parallelism 1, 2 and 3 unless it asks for one, saved and restored after every line. One that crashes, or counts what was late since the
    /// last start, means its own starts: it is run as it stands only.
    /// </summary>
    /// <param name="job">Makes the job, anew for each run.</param>
    /// <exception cref="TranscriptException">A line cannot be carried out, or what came out is not what was expected.</exception>
    public async Task RunEveryWayAsync(Func<TranscriptJob> job)
    {
        await RunAsync(job);
        if (_lines.Any(static line => line.Line.TryGetProperty("crash", out _) || line.Line.TryGetProperty("late", out _))) return;
        foreach (var parallelism in Parallelism is { } only ? [only] : new[] { 1, 2, 3 }) await RunAsync(job, parallelism, restore: true);
    }

    private async Task RunAsync(Func<TranscriptJob> make, int? parallelism, bool restore)
    {
        ArgumentNullException.ThrowIfNull(make);
        var job = make();
        await using var harness = await JobHarness.StartAsync(job.Define, job.Options with { Parallelism = parallelism ?? job.Options.Parallelism });
        var run = new TranscriptRun(job, harness);
        var way = restore ? $" (parallelism {harness.Parallelism}, restored after every line)" : "";
        foreach (var (number, line) in _lines)
        {
            try
            {
                await run.DoAsync(line);
                if (restore) await harness.RestoreAsync();
            }
            catch (Exception error) when (error is not TranscriptException)
            {
                throw new TranscriptException(Path, number, error.Message + way, error);
            }
        }

        if (run.Unexpected() is { } unexpected) throw new TranscriptException(Path, _lines.Count == 0 ? 1 : _lines[^1].Number, unexpected + way);
    }

    internal static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;

    internal static long? Number(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}

/// <summary>A transcript that cannot be carried out, or that expects something else than comes.</summary>
/// <param name="path">The file.</param>
/// <param name="line">The line's number, from 1.</param>
/// <param name="problem">What is wrong.</param>
/// <param name="inner">What the job or the reader threw.</param>
public sealed class TranscriptException(string path, int line, string problem, Exception? inner = null) : Exception($"{path}({line}): {problem}", inner);
