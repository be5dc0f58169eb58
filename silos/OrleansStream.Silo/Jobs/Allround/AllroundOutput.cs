using System.Text.Json;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>
/// The folder that the job writes to, and the check of what it has committed there. The check knows nothing of the job but <see cref="AllroundPlan"/>: it reads the files alone.
/// </summary>
/// <param name="folder">The folder.</param>
internal sealed class AllroundOutput(string folder)
{
    /// <summary>How many problems are told one by one.</summary>
    private const int MostTold = 10;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow };

    /// <summary>The file of all records.</summary>
    public string Records => Path.Combine(folder, "records.jsonl");

    /// <summary>The file of one line that says what was checked.</summary>
    public string Summary => Path.Combine(folder, "summary.jsonl");

    /// <summary>Reads the committed files and compares them with the closed form: every record of every key once, in the order of its key, and one summary, with the right numbers.</summary>
    /// <param name="events">How many records there must be; what the summary says when null.</param>
    /// <param name="keys">Of how many keys; what the summary says when null.</param>
    public OutputFinding Check(long? events = null, long? keys = null)
    {
        var problems = new Problems();
        if (!File.Exists(Summary)) return problems.Only($"There is no '{Summary}': the job has not finished, or does not write to this folder.");
        if (!File.Exists(Records)) return problems.Only($"There is no '{Records}', but there is a summary: something has removed it.");
        if (ReadSummary(problems) is not { } summary) return problems.Finding(null, 0);
        if (summary.Keys is < 1 or > AllroundJob.MostKeys || summary.Events < summary.Keys || summary.Events > AllroundJob.MostEvents)
            return problems.Only($"'{Summary}' is of {summary.Events} events and {summary.Keys} keys, which no job can have.");

        var plan = new AllroundPlan(summary.Events, summary.Keys);
        if (events is { } wantedEvents && wantedEvents != plan.Events) problems.Add($"'{Summary}' is of {plan.Events} events, not of {wantedEvents}.");
        if (keys is { } wantedKeys && wantedKeys != plan.Keys) problems.Add($"'{Summary}' is of {plan.Keys} keys, not of {wantedKeys}.");
        if (summary != plan.Summary) problems.Add($"'{Summary}': expected {plan.Summary}, saw {summary}.");
        return problems.Finding(summary, CheckRecords(plan, problems));
    }

    private Summary? ReadSummary(Problems problems)
    {
        var lines = File.ReadLines(Summary).Take(2).ToList();
        if (lines.Count != 1) problems.Add($"'{Summary}' has {(lines.Count == 0 ? "no line" : "more than one line")}; the job writes one.");
        else if (Parse<Summary>(lines[0]) is { } summary) return summary;
        else problems.Add($"'{Summary}' line 1 is no summary: {Short(lines[0])}.");
        return null;
    }

    private long CheckRecords(AllroundPlan plan, Problems problems)
    {
        var last = new long[plan.Keys];
        var number = 0L;
        foreach (var line in File.ReadLines(Records))
        {
            number++;
            if (Parse<Beat?>(line) is not { } beat) problems.Add($"'{Records}' line {number} is no record: {Short(line)}.");
            else if (beat.Key < 0 || beat.Key >= plan.Keys) problems.Add($"'{Records}' line {number}: there is no key {beat.Key}.");
            else
            {
                ref var ofKey = ref last[beat.Key];
                if (beat.Sequence != ofKey + 1)
                    problems.Add($"'{Records}' line {number}, key {beat.Key}: expected record {ofKey + 1}, saw record {beat.Sequence} ({(beat.Sequence <= ofKey ? "doubled, or out of order" : "one was lost, or is out of order")}).");
                ofKey = Math.Max(ofKey, beat.Sequence);
            }
        }

        for (var key = 0L; key < plan.Keys; key++)
        {
            if (last[key] != plan.RecordsOf(key)) problems.Add($"'{Records}', key {key}: expected {plan.RecordsOf(key)} records, the last is {last[key]}.");
        }

        if (number != plan.Events) problems.Add($"'{Records}' has {number} lines, not {plan.Events}.");
        return number;
    }

    private static T? Parse<T>(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Json);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static string Short(string line) => line.Length > 80 ? $"'{line[..80]}…'" : $"'{line}'";

    private sealed class Problems
    {
        private readonly List<string> _told = [];
        private long _count;

        public void Add(string problem)
        {
            _count++;
            if (_told.Count < MostTold) _told.Add(problem);
        }

        public OutputFinding Only(string problem)
        {
            Add(problem);
            return Finding(null, 0);
        }

        public OutputFinding Finding(Summary? summary, long lines) => new(summary, lines, _count, _told);
    }
}

/// <summary>What the check of the output has found.</summary>
/// <param name="Summary">The summary, if it could be read.</param>
/// <param name="Lines">How many records there are.</param>
/// <param name="ProblemCount">How many problems.</param>
/// <param name="Problems">The first of them.</param>
internal sealed record OutputFinding(Summary? Summary, long Lines, long ProblemCount, IReadOnlyList<string> Problems)
{
    /// <summary>Whether the output is what it must be.</summary>
    public bool Holds => ProblemCount == 0;
}
