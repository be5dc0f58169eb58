using System.Text.Json;

namespace OrleansStream.Testing;

/// <summary>Carries out the lines of one transcript.</summary>
internal sealed class TranscriptRun(TranscriptJob job, JobHarness harness)
{
    private readonly Dictionary<ITranscriptOutput, List<TranscriptRecord>> _found = [];

    public async Task DoAsync(JsonElement line)
    {
        var input = Transcript.Text(line, "input");
        int? split = Transcript.Number(line, "split") is { } number ? checked((int)number) : null;
        switch (KindOf(line))
        {
            case "record":
                job.Input(input).Add(line.GetProperty("record"), Transcript.Number(line, "time"), split ?? 0, job.Json);
                break;
            case "watermark":
                foreach (var one in job.Inputs(input)) one.Watermark(line.GetProperty("watermark").GetInt64(), split);
                break;
            case "idle":
                foreach (var one in job.Inputs(input)) one.Idle(split);
                break;
            case "end":
                foreach (var one in job.Inputs(input)) one.End(split);
                break;
            case "processingTime":
                await harness.AdvanceProcessingTimeAsync(line.GetProperty("processingTime").GetInt64());
                break;
            case "checkpoint":
                await harness.CheckpointAsync();
                break;
            case "restore":
                await harness.RestoreAsync(ParallelismOf(line.GetProperty("restore")));
                break;
            case "crash":
                await harness.CrashAsync(ParallelismOf(line.GetProperty("crash")));
                break;
            case "expect":
                Expect(line);
                break;
            case "late":
                Require("late records", line.GetProperty("late").GetInt64(), harness.LateRecords(line.GetProperty("operator").GetString()!));
                break;
            case "watermarkOf":
                Require("the watermark", line.GetProperty("is").GetInt64(), harness.Watermark(line.GetProperty("watermarkOf").GetString()!));
                break;
        }

        await harness.RunAsync();
    }

    /// <summary>What came out and was never expected; null when nothing is left.</summary>
    public string? Unexpected()
    {
        foreach (var (name, output) in job.Outputs)
        {
            if (Found(output) is { Count: > 0 } left) return $"nobody expected what came out{(name.Length > 0 ? $" of '{name}'" : "")}:{List(left)}";
        }

        return null;
    }

    private static readonly string[] Kinds =
        ["record", "watermark", "idle", "end", "processingTime", "checkpoint", "restore", "crash", "expect", "late", "watermarkOf", "comment"];

    /// <summary>What the line is about: the one property that says so.</summary>
    private static string KindOf(JsonElement line)
    {
        var kinds = line.EnumerateObject().Select(static property => property.Name).Where(static name => Kinds.Contains(name)).ToList();
        return kinds.Count == 1 ? kinds[0] : throw new FormatException($"a line has one of {string.Join(", ", Kinds)}; this one has {(kinds.Count == 0 ? "none" : string.Join(" and ", kinds))}");
    }

    private static int? ParallelismOf(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

    private void Expect(JsonElement line)
    {
        var value = line.GetProperty("expect");
        var expected = (value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value])
            .Select(static one => new TranscriptRecord(one.GetProperty("record"), Transcript.Number(one, "time"))).ToList();
        var inOrder = line.TryGetProperty("inOrder", out var ordered) && ordered.GetBoolean();
        var found = Found(job.Output(Transcript.Text(line, "output")));
        var left = found.ToList();
        var missing = new List<TranscriptRecord>();
        foreach (var one in expected)
        {
            var at = left.FindIndex(one.Matches);
            if (at < 0) missing.Add(one);
            else left.RemoveAt(at);
        }

        if (missing.Count > 0 || left.Count > 0)
        {
            throw new FormatException($"{(missing.Count > 0 ? $"expected, and did not come:{List(missing)}" : "all that was expected came")}{(left.Count > 0 ? $"\ncame, and was not expected:{List(left)}" : "")}");
        }

        if (inOrder && !expected.Zip(found).All(static pair => pair.First.Matches(pair.Second))) throw new FormatException($"all that was expected came, in another order:{List(found)}");
        found.Clear();
    }

    private List<TranscriptRecord> Found(ITranscriptOutput output)
    {
        if (!_found.TryGetValue(output, out var found)) _found.Add(output, found = []);
        found.AddRange(output.Take(job.Json));
        return found;
    }

    private static void Require(string what, long expected, long found)
    {
        if (expected != found) throw new FormatException($"{what}: expected {expected}, found {found}");
    }

    private static string List(IEnumerable<TranscriptRecord> records) => string.Concat(records.Select(static record => $"\n  {record}"));
}
