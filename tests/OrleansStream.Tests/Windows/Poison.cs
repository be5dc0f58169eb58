using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

/// <summary>Records that make functions throw, after these have changed what they keep.</summary>
internal static class Poison
{
    public static bool IsIn(int number) => number % 4 == 3;

    /// <summary>Whether a line as <see cref="Numbered"/> writes it is of such a record.</summary>
    public static bool IsIn(string line) => IsIn(int.Parse(line[1..line.IndexOf('@')]));

    public static void Meet(in Numbered record)
    {
        if (IsIn(record.Number)) throw new FormatException($"{record.Number} is poison");
    }
}

/// <inheritdoc cref="Poison"/>
internal sealed class PoisonedListing : AggregateFunction<Numbered, string, string>
{
    private static readonly Listing Inner = new();

    public override string Create() => "";

    public override void Add(ref string accumulator, in Numbered record)
    {
        Inner.Add(ref accumulator, in record);
        Poison.Meet(in record);
    }

    public override void Merge(ref string accumulator, in string later) => accumulator += later;

    public override string Result(in string accumulator) => Inner.Result(in accumulator);
}

/// <summary>Fires for every third record of a window, keeps a list, an entry and timers, and throws when all that is done.</summary>
internal sealed class PoisonedTrigger : Trigger<Numbered>
{
    private static readonly ValueState<int> Count = new("seen");
    private static readonly ListState<int> Numbers = new("numbers");
    private static readonly MapState<int, long> Times = new("times");

    public override IReadOnlyList<StateDeclaration> States => [Count, Numbers, Times];

    public override bool CanMerge => true;

    public override TriggerResult OnRecord(in Numbered record, long timestamp, ref TriggerContext context)
    {
        var count = context.State.Get(Count) + 1;
        context.State.Set(Count, count);
        context.State.Add(Numbers, record.Number);
        context.State.Set(Times, record.Number % 2, timestamp);
        context.RegisterEventTimer(timestamp + 5);
        Poison.Meet(in record);
        if (context.State.Items(Numbers).Length != count) throw new InvalidOperationException("A list is not what the count says.");
        return count % 3 == 0 ? TriggerResult.FireAndPurge : TriggerResult.Continue;
    }

    public override TriggerResult OnEventTimer(long timestamp, ref TriggerContext context) =>
        context.State.TryGet(Times, 0, out var even) && even + 5 == timestamp ? TriggerResult.Fire : TriggerResult.Continue;

    public override void OnMerge(ref TriggerContext context, ReadOnlySpan<WindowState> others)
    {
        foreach (var other in others)
        {
            context.State.Set(Count, context.State.Get(Count) + other.Get(Count));
            foreach (var number in other.Items(Numbers)) context.State.Add(Numbers, number);
            foreach (var (number, time) in other.Entries(Times)) context.State.Set(Times, number, time);
        }
    }
}

/// <summary>Counts firings by window and by key before it throws for what it sees.</summary>
internal sealed class PoisonedFunction : WindowFunction<string, Numbered, WindowResult<string, string>>
{
    private static readonly ValueState<int> OfKey = new("of-key");
    private static readonly ValueState<int> OfWindow = new("of-window");

    public override IReadOnlyList<StateDeclaration> States => [OfKey];

    public override IReadOnlyList<StateDeclaration> WindowStates => [OfWindow];

    public override void Process(IReadOnlyList<Numbered> records, ref WindowContext<string, WindowResult<string, string>> context)
    {
        var (ofKey, ofWindow) = (context.KeyState.Update(OfKey, static count => count + 1), context.WindowState.Update(OfWindow, static count => count + 1));
        context.Emit(new WindowResult<string, string>(context.Key, context.Window, $"{Listing.Of(records.Select(static record => record.Number))} {ofKey} {ofWindow}") { Firing = context.Firing });
        foreach (var record in records) Poison.Meet(in record);
    }
}
