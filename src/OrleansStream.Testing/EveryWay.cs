using System.Globalization;
using OrleansStream.Graph;

namespace OrleansStream.Testing;

/// <summary>A job and what it is fed, made anew for each run of it.</summary>
/// <param name="Define">Makes the graph, with inputs and outputs of its own.</param>
/// <param name="Steps">What is done to the inputs, one step after another: a record, a watermark, the end.</param>
/// <param name="Outputs">Reads an output when all is done: its name in messages, and its records as text.</param>
public sealed record Scenario(Action<JobGraph> Define, IReadOnlyList<Action> Steps, IReadOnlyDictionary<string, Func<IEnumerable<string>>> Outputs)
{
    /// <summary>Makes a scenario with one input and one output.</summary>
    /// <param name="define">Makes the graph between them.</param>
    /// <param name="feed">What is done to the input, one step after another.</param>
    public static Scenario Of<TIn, TOut>(Action<JobGraph, TestInput<TIn>, TestOutput<TOut>> define, IReadOnlyList<Action<TestInput<TIn>>> feed)
    {
        var input = new TestInput<TIn>();
        var output = new TestOutput<TOut>();
        return new Scenario(
            graph => define(graph, input, output),
            [.. feed.Select(step => (Action)(() => step(input)))],
            new Dictionary<string, Func<IEnumerable<string>>> { ["the output"] = () => Text(output) });
    }

    /// <summary>The records of an output as text, each with its time.</summary>
    public static IEnumerable<string> Text<T>(TestOutput<T> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return output.Records.Select(static record => string.Create(CultureInfo.InvariantCulture, $"{record.Value} @{record.Timestamp}"));
    }
}

/// <summary>Runs a scenario in every way in which a cluster may come to run it, and demands the same results of all.</summary>
public static class EveryWay
{
    /// <summary>
    /// Runs a scenario step by step, all at once, saved and restored after every step, crashed and done again after every step; at parallelism 1, 2 and 3, and at another one after
    /// each restore. Results are compared as sets with repeats: between keys there is no order.
    /// </summary>
    /// <param name="make">Makes the scenario; the same each time.</param>
    /// <returns>The results by output, sorted as text.</returns>
    /// <exception cref="DifferentResultsException">Two ways differ; the message says which and how.</exception>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> RunAsync(Func<Scenario> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        var expected = await RunAsync(make(), 1, static (_, _) => Task.CompletedTask);
        for (var parallelism = 1; parallelism <= 3; parallelism++)
        {
            if (parallelism > 1) await CompareAsync("step by step", static (_, _) => Task.CompletedTask);
            await CompareAsync("all at once", null);
            await CompareAsync("restored after every step", static (harness, _) => harness.RestoreAsync());
            await CompareAsync("restored at another parallelism after every step", static (harness, step) => harness.RestoreAsync(1 + ((step + 1) % 3)));
            await CompareAsync("crashed after every step, with a checkpoint at every third", static async (harness, step) =>
            {
                if (step % 3 == 0) await harness.CheckpointAsync();
                await harness.RunAsync();
                await harness.CrashAsync();
            });

            async Task CompareAsync(string way, Func<JobHarness, int, Task>? after)
            {
                var found = await RunAsync(make(), parallelism, after);
                foreach (var (output, records) in expected)
                {
                    if (!records.SequenceEqual(found[output])) throw new DifferentResultsException($"{way}, at parallelism {parallelism}, {output}", records, found[output]);
                }
            }
        }

        return expected;
    }

    private static async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> RunAsync(Scenario scenario, int parallelism, Func<JobHarness, int, Task>? after)
    {
        await using var harness = await JobHarness.StartAsync(scenario.Define, new HarnessOptions { Parallelism = parallelism });
        for (var step = 0; step < scenario.Steps.Count; step++)
        {
            scenario.Steps[step]();
            if (after is null) continue;
            await harness.RunAsync();
            await after(harness, step);
        }

        await harness.RunAsync();
        return scenario.Outputs.ToDictionary(static output => output.Key, static output => (IReadOnlyList<string>)[.. output.Value().Order(StringComparer.Ordinal)]);
    }
}

/// <summary>A job whose results depend on how it is run.</summary>
/// <param name="way">The way that differs from running it step by step at parallelism 1.</param>
/// <param name="expected">The results of that.</param>
/// <param name="found">The results of the other way.</param>
public sealed class DifferentResultsException(string way, IReadOnlyList<string> expected, IReadOnlyList<string> found)
    : Exception($"Run {way}: results differ from those of the same steps one by one at parallelism 1.{List("missing", expected, found)}{List("not expected", found, expected)}")
{
    private static string List(string what, IReadOnlyList<string> some, IReadOnlyList<string> others)
    {
        var left = others.ToList();
        var lines = some.Where(record => !left.Remove(record)).Take(20).ToList();
        return lines.Count == 0 ? "" : $"\n  {what}:{string.Concat(lines.Select(static line => $"\n    {line}"))}";
    }
}
