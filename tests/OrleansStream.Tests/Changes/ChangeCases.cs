using OrleansStream.Changes;
using OrleansStream.Graph;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Changes;

[GenerateSerializer, Immutable, Alias("os.tests.Row")]
internal readonly record struct Row([property: Id(0)] string Key, [property: Id(1)] int Value, [property: Id(2)] int Tag);

/// <summary>What an input gives: a record with its time, or a watermark.</summary>
internal readonly record struct Given<T>(bool IsWatermark, long Time, T Value);

/// <summary>
/// Runs an operator over random input at a random parallelism, saved, restored and crashed at random, and compares what comes out for each key, in order, with what a reference makes of the whole input of
/// the key.
/// </summary>
internal static class ChangeCases
{
    public const int Cases = 1000;

    public static async Task RunAsync<TIn, TOut>(
        Func<Random, List<Given<TIn>>> make, Func<DataStream<TIn>, DataStream<TOut>> operate, Func<TIn, string> keyIn, Func<TOut, string> keyOut, Func<IReadOnlyList<Given<TIn>>, IEnumerable<TOut>> reference)
    {
        for (var seed = 1; seed <= Cases; seed++)
        {
            var given = make(new Random(seed));
            try
            {
                var found = await RunAsync(seed, given, operate);
                foreach (var key in given.Where(static one => !one.IsWatermark).Select(one => keyIn(one.Value)).Distinct())
                {
                    var expected = reference([.. given.Where(one => one.IsWatermark || keyIn(one.Value) == key)]).ToList();
                    Assert.Equal(expected, found.Where(record => keyOut(record) == key));
                }
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Seed {seed}, {string.Join(' ', given.Select(static one => one.IsWatermark ? $"|{one.Time}" : $"{one.Value}@{one.Time}"))}: {error.Message}", error);
            }
        }
    }

    /// <summary>Records of a few keys and values, out of order, with repeats and late ones.</summary>
    public static List<Given<Row>> Rows(Random random)
    {
        var given = new List<Given<Row>>();
        var watermark = long.MinValue;
        var span = random.Next(5, 80);
        for (var tag = random.Next(30); tag > 0; tag--)
        {
            if (random.Next(5) == 0)
            {
                watermark = Math.Max(watermark, random.Next(span));
                given.Add(new(true, watermark, default));
            }

            given.Add(new(false, random.Next(span), new Row($"{(char)('a' + random.Next(4))}", random.Next(6), random.Next(3))));
            if (random.Next(8) == 0) given.Add(given[^1]);
        }

        return given;
    }

    /// <summary>Changes of rows that are there: each retraction is of one of them.</summary>
    public static List<Given<Change<Row>>> Changes(Random random)
    {
        var rows = new List<Row>();
        var given = new List<Given<Change<Row>>>();
        for (var left = random.Next(30); left > 0; left--)
        {
            var row = new Row($"{(char)('a' + random.Next(3))}", random.Next(6), random.Next(2));
            switch (random.Next(5))
            {
                case < 2 when rows.Count > 0:
                    Give(Change.Delete(Take()));
                    break;
                case 2 when rows.Count > 0:
                    Give(Change.UpdateBefore(Take()));
                    Give(Change.UpdateAfter(row));
                    rows.Add(row);
                    break;
                default:
                    Give(Change.Insert(row));
                    rows.Add(row);
                    break;
            }
        }

        return given;

        void Give(Change<Row> change) => given.Add(new(false, given.Count, change));

        Row Take()
        {
            var index = random.Next(rows.Count);
            var row = rows[index];
            rows.RemoveAt(index);
            return row;
        }
    }

    /// <summary>The rows that are there behind each of the changes, in the order of arrival; of equal rows the first goes.</summary>
    public static IEnumerable<List<Row>> Tables(IEnumerable<Given<Change<Row>>> given)
    {
        var rows = new List<Row>();
        foreach (var one in given)
        {
            if (one.Value.IsRetraction) rows.Remove(one.Value.Value);
            else rows.Add(one.Value.Value);
            yield return [.. rows];
        }
    }

    /// <summary>How a result changes from one step to the next; null for none.</summary>
    public static IEnumerable<Change<KeyedResult<string, TResult>>> ResultChanges<TResult>(string key, IEnumerable<TResult?> results)
        where TResult : struct
    {
        TResult? before = null;
        foreach (var result in results)
        {
            if (!Equals(before, result))
            {
                if (before is { } old) yield return result is null ? Change.Delete<KeyedResult<string, TResult>>(new(key, old)) : Change.UpdateBefore<KeyedResult<string, TResult>>(new(key, old));
                if (result is { } now) yield return before is null ? Change.Insert<KeyedResult<string, TResult>>(new(key, now)) : Change.UpdateAfter<KeyedResult<string, TResult>>(new(key, now));
            }

            before = result;
        }
    }

    private static async Task<IReadOnlyList<TOut>> RunAsync<TIn, TOut>(int seed, List<Given<TIn>> given, Func<DataStream<TIn>, DataStream<TOut>> operate)
    {
        var random = new Random(-seed);
        var input = new TestInput<TIn>();
        var output = new TestOutput<TOut>();
        await using var harness = await JobHarness.StartAsync(graph => operate(graph.From("in", input)).To("out", output), new HarnessOptions { Parallelism = random.Next(1, 4) });
        foreach (var one in given)
        {
            if (one.IsWatermark) input.Watermark(one.Time);
            else input.Add(one.Value, one.Time);
            switch (random.Next(12))
            {
                case 0:
                    await harness.RestoreAsync(random.Next(1, 4));
                    break;
                case 1:
                    await harness.CheckpointAsync();
                    break;
                case 2:
                    await harness.RunAsync();
                    await harness.CrashAsync(random.Next(1, 4));
                    break;
                case < 6:
                    await harness.RunAsync();
                    break;
            }
        }

        input.End();
        await harness.RunAsync();
        return [.. output.Values];
    }
}
