using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Joins;

/// <summary>A record that a case fed.</summary>
/// <param name="IsLeft">Whether it went to the left side.</param>
/// <param name="Text">The record: its key, one letter, and its number.</param>
/// <param name="Time">Its event time.</param>
/// <param name="Watermark">The watermark of both sides together when it came.</param>
/// <param name="Step">The step in which it came.</param>
internal sealed record JoinRecord(bool IsLeft, string Text, long Time, long Watermark, int Step)
{
    public char Key => Text[0];

    public bool IsLate => Time <= Watermark && Watermark != long.MinValue;
}

/// <summary>
/// One random input of two sides: records out of order, repeated and late, watermarks of each side, idleness, and the end of each; run step by step, at a parallelism and with restores
/// that depend on the seed. What the watermark of both sides together is at each step is worked out here, for the reference.
/// </summary>
internal sealed class JoinCase
{
    private static readonly long[] Bases = [0, -20, 1_700_000_000_000, long.MaxValue - 60, long.MinValue + 1_000];

    private readonly Random _random;
    private readonly List<Action> _steps = [];
    private readonly TestInput<string>[] _inputs = [new(), new()];
    private readonly long[] _watermarks = [long.MinValue, long.MinValue];
    private readonly bool[] _idle = [false, false];
    private readonly bool[] _ended = [false, false];
    private readonly long _base;

    public JoinCase(int seed)
    {
        _random = new Random(seed);
        _base = Bases[_random.Next(4) == 0 ? _random.Next(Bases.Length) : 0];
        for (var count = _random.Next(10, 40); count > 0; count--) AddStep();
        var first = _random.Next(2);
        AddEnd(first);
        for (var count = _random.Next(3); count > 0; count--) AddRecord(1 - first);
        AddEnd(1 - first);
    }

    public TestInput<string> Left => _inputs[0];

    public TestInput<string> Right => _inputs[1];

    public List<JoinRecord> Records { get; } = [];

    /// <summary>The watermark of both sides together, as it came to be with each step.</summary>
    public List<long> Watermarks { get; } = [];

    public IEnumerable<JoinRecord> Of(bool isLeft) => Records.Where(record => record.IsLeft == isLeft);

    /// <summary>Any number below a bound, by the case's seed.</summary>
    public int Next(int below) => _random.Next(below);

    /// <summary>Runs a job over the input and gives its results, each with its time, sorted; and demands that no state is left.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(string operatorName, Action<JobGraph, JoinCase, TestOutput<string>> define)
    {
        var output = new TestOutput<string>();
        await using var harness = await JobHarness.StartAsync(graph => define(graph, this, output), new HarnessOptions { Parallelism = 1 + _random.Next(3) });
        var restores = _random.Next(3);
        foreach (var step in _steps)
        {
            step();
            if (restores == 2 || (restores == 1 && _random.Next(4) == 0)) await harness.RestoreAsync(1 + _random.Next(3));
            else await harness.RunAsync();
        }

        await harness.RunAsync();
        Assert.True(harness.HasEnded);
        Assert.Equal(0, harness.KeyCount(operatorName));
        return Sorted(output.Records.Select(static record => $"{record.Value} @{record.Timestamp}"));
    }

    public static IReadOnlyList<string> Sorted(IEnumerable<string> results) => [.. results.Order(StringComparer.Ordinal)];

    private void AddStep()
    {
        var side = _random.Next(2);
        switch (_random.Next(10))
        {
            case 0 or 1:
                // Mostly behind what may come, sometimes over it.
                AddWatermark(side, _base + (_steps.Count) + _random.Next(-15, 10));
                break;
            case 2:
                _steps.Add(() => _inputs[side].Idle());
                _idle[side] = true;
                Advance();
                break;
            default:
                AddRecord(side);
                break;
        }
    }

    private void AddRecord(int side)
    {
        var text = Records.Count > 0 && _random.Next(8) == 0 ? Records[_random.Next(Records.Count)].Text : $"{(char)('a' + _random.Next(3))}{Records.Count}";
        var time = _base + _steps.Count + _random.Next(-12, 10);
        Records.Add(new JoinRecord(side == 0, text, time, Current, _steps.Count));
        _steps.Add(() => _inputs[side].Add(text, time));
        _idle[side] = false;
        Advance();
    }

    private void AddWatermark(int side, long time)
    {
        _steps.Add(() => _inputs[side].Watermark(time));
        _watermarks[side] = Math.Max(_watermarks[side], time);
        _idle[side] = false;
        Advance();
    }

    private void AddEnd(int side)
    {
        _steps.Add(() => _inputs[side].End());
        _ended[side] = true;
        Advance();
    }

    private long Current => Watermarks.Count == 0 ? long.MinValue : Watermarks[^1];

    private void Advance()
    {
        var counted = Enumerable.Range(0, 2).Where(side => !_ended[side] && !_idle[side]).Select(side => _watermarks[side]).ToList();
        var merged = _ended is [true, true] ? long.MaxValue : counted.Count == 0 ? Current : counted.Min();
        Watermarks.Add(Math.Max(Current, merged));
    }
}

/// <summary>Runs cases by seed and says which seed failed.</summary>
internal static class JoinCases
{
    public const int Count = 1_000;

    public static async Task CheckAsync(Func<JoinCase, Task> check)
    {
        for (var seed = 0; seed < Count; seed++)
        {
            try
            {
                await check(new JoinCase(seed));
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Seed {seed}: {error.Message}", error);
            }
        }
    }
}
