using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OrleansStream.Benchmarks.Parts;
using OrleansStream.Stages;
using OrleansStream.State;

namespace OrleansStream.Benchmarks.Memory;

/// <summary>What a key takes in memory, for each kind of state: the managed heap with all keys less that without, each after a full collection, on the operators that jobs run.</summary>
internal static class MemoryCommand
{
    private const int BatchRecords = 1024;

    /// <summary>The time of the first records; those of a key follow each other by a second, so that all are within ten.</summary>
    private const long BeginMs = 10_000;

    private const long SecondMs = 1000;

    private static readonly Option<int> Keys = new("--keys")
    {
        Description = "Different keys: 100k, 1M, …",
        CustomParser = ParseKeys,
        DefaultValueFactory = static _ => 1_000_000,
    };

    public static Command Build()
    {
        var command = new Command("memory", "Measures the bytes that a key takes in memory, for each kind of state.") { Keys };
        command.SetAction(static parsed => RunAsync(parsed.GetValue(Keys), Console.Out));
        return command;
    }

    private static int ParseKeys(ArgumentResult result)
    {
        if (Quantity.ParseCount(result) is not { } keys) return 0;
        if (keys < BatchRecords) result.AddError($"--keys is {keys}; it must be {BatchRecords} at least: with fewer, what does not grow with the keys is most of it.");
        return keys;
    }

    private static async Task RunAsync(int keys, TextWriter to)
    {
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{keys:N0} keys; bytes per key of the managed heap"));
        to.WriteLine();
        to.WriteLine("| what is kept of a key | long keys | string keys |");
        to.WriteLine("| --- | --- | --- |");
        Print(to, "by hand: a number in a dictionary", await OfDictionaryAsync(LongKey, keys), await OfDictionaryAsync(StringKey, keys));
        foreach (var (ofLong, ofString) in MemoryCase<long>.All.Zip(MemoryCase<string>.All))
        {
            // A few keys first: what comes once, such as serializers, is no key's.
            await OfOperatorAsync(ofLong, LongKey, BatchRecords);
            await OfOperatorAsync(ofString, StringKey, BatchRecords);
            Print(to, ofLong.Name, await OfOperatorAsync(ofLong, LongKey, keys), await OfOperatorAsync(ofString, StringKey, keys));
        }
    }

    private static void Print(TextWriter to, string name, double ofLong, double ofString) => to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {ofLong:0} | {ofString:0} |"));

    private static long LongKey(int number) => number;

    /// <summary>A string of its own for every record, as a source makes it: 11 characters, 48 bytes.</summary>
    private static string StringKey(int number) => string.Create(CultureInfo.InvariantCulture, $"key-{number:0000000}");

    private static async Task<double> OfDictionaryAsync<TKey>(Func<int, TKey> keyOf, int keys)
        where TKey : notnull =>
        await MeasureAsync(keys, () =>
        {
            var dictionary = new Dictionary<TKey, long>();
            for (var number = 0; number < keys; number++) dictionary.Add(keyOf(number), number);
            return Task.FromResult<object>(dictionary);
        });

    private static Task<double> OfOperatorAsync<TKey>(MemoryCase<TKey> what, Func<int, TKey> keyOf, int keys)
        where TKey : notnull =>
        MeasureAsync(keys, async () =>
        {
            var context = PartSetup.Context();
            var (head, entry) = what.Build(context);
            await head.OpenAsync(CancellationToken.None);
            Fill(entry, what.Records, keyOf, keys);
            if (what.IsPassed) head.OnWatermark(BeginMs + (what.Records * SecondMs));
            var kept = context.State.Parts.Max(static part => part is IWindowTable windows ? windows.Count : part is IKeyedTable table ? table.KeyCount : 0);
            if (kept < keys) throw new InvalidOperationException($"'{what.Name}' keeps {kept} of {keys} keys: it does not measure what it says.");
            return context;
        });

    private static void Fill<TKey>(Operator<Entry<TKey>> entry, int rounds, Func<int, TKey> keyOf, int keys)
        where TKey : notnull
    {
        var (values, timestamps, hashes) = (new Entry<TKey>[BatchRecords], new long[BatchRecords], new ulong[BatchRecords]);
        for (var round = 0; round < rounds; round++)
        {
            for (var from = 0; from < keys; from += BatchRecords)
            {
                var count = Math.Min(BatchRecords, keys - from);
                for (var i = 0; i < count; i++)
                {
                    values[i] = new Entry<TKey>(keyOf(from + i), round);
                    hashes[i] = KeyCodec<TKey>.Default.Hash(values[i].Key);
                    // Within the second in no order.
                    timestamps[i] = BeginMs + (round * SecondMs) + (long)(hashes[i] % SecondMs);
                }

                entry.OnRecords(new Records<Entry<TKey>>(values.AsSpan(0, count), timestamps.AsSpan(0, count), hashes.AsSpan(0, count)));
            }
        }
    }

    /// <summary>What the heap has grown by, for each key, while what was filled is still there.</summary>
    private static async Task<double> MeasureAsync(int keys, Func<Task<object>> fill)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var filled = await fill();
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(filled);
        return (after - before) / (double)keys;
    }
}
