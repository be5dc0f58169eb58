using OrleansStream.Graph;
using OrleansStream.Testing;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

/// <summary>A record of a random case: its number says which it is, whatever becomes of it.</summary>
[GenerateSerializer, Immutable, Alias("tests.Numbered")]
public readonly record struct Numbered([property: Id(0)] string Key, [property: Id(1)] int Number, [property: Id(2)] long Time)
{
    public override string ToString() => $"{Key}{Number}@{Time}";
}

/// <summary>A record, or a watermark where there is no key.</summary>
internal readonly record struct CaseStep(Numbered Record)
{
    public bool IsWatermark => Record.Key is null;

    public override string ToString() => IsWatermark ? $"|{Record.Time}" : Record.ToString();
}

/// <summary>Random input in disorder, with late records and records of one time, and the running of it: in pieces, restored here and there, at a parallelism that changes.</summary>
internal sealed class WindowCase
{
    private readonly Random _random;

    public WindowCase(int seed, int span = 120, int records = 40)
    {
        Seed = seed;
        _random = new Random(seed);
        var time = (long)_random.Next(-span, span);
        var watermark = long.MinValue;
        var number = 0;
        for (var i = _random.Next(1, records); i > 0; i--)
        {
            time += _random.Next(4) switch { 0 => 0, 1 => _random.Next(span / 2), _ => _random.Next(span / 8) };
            var late = _random.Next(3) == 0 ? _random.Next(span) : 0;
            Steps.Add(new CaseStep(new Numbered(((char)('a' + _random.Next(3))).ToString(), number++, time - late)));
            if (_random.Next(3) > 0) continue;
            watermark = Math.Max(watermark, time - _random.Next(span / 4));
            Steps.Add(new CaseStep(new Numbered(null!, 0, watermark)));
        }
    }

    public int Seed { get; }

    public List<CaseStep> Steps { get; } = [];

    /// <summary>A number for the case's own choices.</summary>
    public int Next(int below) => _random.Next(below);

    /// <summary>Runs a job over the input to its end.</summary>
    public async Task<(IReadOnlyList<string> Results, IReadOnlyList<string> Late)> RunAsync<TOut>(
        Action<JobGraph, TestInput<Numbered>, TestOutput<TOut>, TestOutput<Numbered>> define, Func<TestRecord<TOut>, string> write)
    {
        var input = new TestInput<Numbered>();
        var output = new TestOutput<TOut>();
        var late = new TestOutput<Numbered>();
        await using var harness = await JobHarness.StartAsync(graph => define(graph, input, output, late), new HarnessOptions { Parallelism = 1 + _random.Next(3) });
        foreach (var step in Steps)
        {
            if (step.IsWatermark) input.Watermark(step.Record.Time);
            else input.Add(step.Record, step.Record.Time);
            if (_random.Next(6) == 0) await harness.RestoreAsync(1 + _random.Next(3));
            else if (_random.Next(3) == 0) await harness.RunAsync();
        }

        input.End();
        await harness.RunAsync();
        return (Sorted(output.Records.Select(write)), Sorted(late.Values.Select(static record => record.ToString())));
    }

    /// <summary>Asserts that a run gave what it should, and prints the case where it did not.</summary>
    public void Equal(string about, (IReadOnlyList<string> Results, IReadOnlyList<string> Late) expected, (IReadOnlyList<string> Results, IReadOnlyList<string> Late) found)
    {
        if (expected.Results.SequenceEqual(found.Results) && expected.Late.SequenceEqual(found.Late)) return;
        Assert.Fail(
            $"Seed {Seed}, {about}, input {string.Join(' ', Steps)}\nmissing: {Less(expected.Results, found.Results)}\nunexpected: {Less(found.Results, expected.Results)}"
            + $"\nlate missing: {Less(expected.Late, found.Late)}\nlate unexpected: {Less(found.Late, expected.Late)}");
    }

    public static string Text(TestRecord<WindowResult<string, string>> result) => Text(result.Value.Key, result.Value.Window, result.Value.Value, result.Value.Firing, result.Timestamp);

    public static string Text(string key, TimeWindow window, string value, WindowFiring firing, long timestamp) => $"{key} [{window.Start},{window.End}) {value} {firing} @{timestamp}";

    public static IReadOnlyList<string> Sorted(IEnumerable<string> lines) => [.. lines.Order(StringComparer.Ordinal)];

    private static string Less(IReadOnlyList<string> some, IReadOnlyList<string> others)
    {
        var left = others.ToList();
        return string.Join("; ", some.Where(line => !left.Remove(line)));
    }
}

/// <summary>Lists the numbers of records in order: nothing that is lost, doubled or misplaced stays unseen.</summary>
internal sealed class Listing : OrleansStream.Functions.AggregateFunction<Numbered, string, string>
{
    public override string Create() => "";

    public override void Add(ref string accumulator, in Numbered record) => accumulator += $" {record.Number}";

    public override string Result(in string accumulator) => Of(accumulator.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));

    public override void Merge(ref string accumulator, in string later) => accumulator += later;

    public static string Of(IEnumerable<int> numbers) => string.Join(',', numbers.Order());
}
