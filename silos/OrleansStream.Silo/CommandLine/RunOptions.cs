using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.CommandLine;

/// <summary>Makes options whose values are checked as they are parsed, each with one line for a wrong value.</summary>
internal static class RunOptions
{
    /// <summary>The largest parallelism there can be: as many as there are key groups.</summary>
    private const int MostParallelism = 128;

    public static Option<TimeSpan?> Duration(string name, string description, TimeSpan least) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (JobArguments.ParseDuration(text) is not { } duration) result.AddError($"'{text}' is no duration for {name}: write for example 200ms, 10s, 5m, 1h or 1d.");
            else if (duration.Ticks % TimeSpan.TicksPerMillisecond != 0) result.AddError($"{name} is '{text}': it must be a whole number of milliseconds.");
            else if (duration < least) result.AddError($"{name} is '{text}': it must be {Durations.Show(least)} or more.");
            else if (duration.TotalDays > 36_500) result.AddError($"{name} is '{text}': it must be 36500d or less.");
            else return duration;
            return null;
        },
    };

    public static Option<int> Parallelism(string description = "How many subtasks each stage has; may differ from start to start. The number of cores, at most 8, unless given.") => new("--parallelism")
    {
        Description = description,
        HelpName = "N",
        CustomParser = static result => (int)(Whole(result, "--parallelism", 1, MostParallelism) ?? 0),
    };

    public static Option<int?> HttpPort(string description) => Port("--http-port", description);

    public static Option<int?> Port(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "PORT",
        CustomParser = result => (int?)Whole(result, name, 1, 65_535),
    };

    public static Option<long?> WholeNumber(string name, string description, long least, long most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => Whole(result, name, least, most),
    };

    public static Option<double?> Rate() =>
        Number("--rate", "RECORDS_PER_SECOND", "The most records read a second, all inputs together; as many as can be unless given. May differ from start to start.", isAboveZero: true);

    public static Option<double?> Number(string name, string unit, string description, bool isAboveZero = false) => new(name)
    {
        Description = description,
        HelpName = unit,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number)) result.AddError($"'{text}' is no number for {name}: write for example 30 or 2.5.");
            else if (isAboveZero && number <= 0) result.AddError($"{name} is '{text}': it must be above 0.");
            else return number;
            return null;
        },
    };

    public static Option<string?> BadRecords() => new("--bad-records")
    {
        Description = "What to do with a malformed row: 'fail' ends the job with file, line and column; 'skip' counts it and writes it to OUTPUT.bad.jsonl. fail unless given.",
        HelpName = "fail|skip",
        CustomParser = static result =>
        {
            var text = result.Tokens[^1].Value;
            if (text is not ("fail" or "skip")) result.AddError($"'{text}' is nothing that --bad-records can do: write fail or skip.");
            return text;
        },
    };

    private static long? Whole(ArgumentResult result, string name, long least, long most)
    {
        var text = result.Tokens[^1].Value;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        result.AddError($"{name} is '{text}': it must be a whole number from {least} to {most}.");
        return null;
    }
}
